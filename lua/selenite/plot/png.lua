-- A drawing as pixels, painted by cairo, which is loaded when the first is wanted: a figure in the
-- terminal or as SVG needs no library.
--
-- Letters come from the system's sans-serif font, so that pixels may differ between machines; on
-- one machine the same drawing gives the same bytes.

local ffi = require "ffi"
local errors = require "selenite.errors"
local pixels = require "selenite.plot.pixels"

-- https://www.cairographics.org/manual/; 1.2 and later have all of it. Here without "cairo_".
local functions = [[
surface *image_surface_create(int format, int width, int height);
surface *image_surface_create_for_data(unsigned char *data, int format, int width, int height,
                                       int stride);
unsigned char *image_surface_get_data(surface *s);
int image_surface_get_stride(surface *s);
int surface_status(surface *s);
void surface_flush(surface *s);
void surface_destroy(surface *s);
context *create(surface *target);
void destroy(context *cr);
int status(context *cr);
const char *status_to_string(int status);
void save(context *cr);
void restore(context *cr);
void translate(context *cr, double x, double y);
void scale(context *cr, double x, double y);
void rotate(context *cr, double angle);
void set_source_rgb(context *cr, double red, double green, double blue);
void set_source_surface(context *cr, surface *s, double x, double y);
pattern *get_source(context *cr);
void pattern_set_filter(pattern *p, int filter);
void set_line_width(context *cr, double width);
void set_line_join(context *cr, int line_join);
void new_path(context *cr);
void move_to(context *cr, double x, double y);
void line_to(context *cr, double x, double y);
void rectangle(context *cr, double x, double y, double width, double height);
void arc(context *cr, double x, double y, double radius, double from, double to);
void fill(context *cr);
void stroke(context *cr);
void paint(context *cr);
void select_font_face(context *cr, const char *family, int slant, int weight);
void set_font_size(context *cr, double size);
void text_extents(context *cr, const char *text, extents *out);
void show_text(context *cr, const char *text);
]]

-- Declares them under names of our own: a script may declare cairo's functions in its own way.
local function declare()
  local text = functions:gsub("%f[%w_](%l+) %*", function(name)
    return (name == "char" or name == "double") and name .. " *" or "sel_lua_cairo_" .. name .. " *"
  end)
  text = text:gsub("([%w_]+)(%b());", 'sel_lua_cairo_%1%2 __asm__("cairo_%1");')
  ffi.cdef([[
    typedef struct sel_lua_cairo_surface sel_lua_cairo_surface;
    typedef struct sel_lua_cairo_context sel_lua_cairo_context;
    typedef struct sel_lua_cairo_pattern sel_lua_cairo_pattern;
    typedef struct {
      double x_bearing, y_bearing, width, height, x_advance, y_advance;
    } sel_lua_cairo_extents;
    void *sel_lua_dlopen(const char *name, int mode) __asm__("dlopen");
  ]] .. text)
end

local FORMAT_RGB24, FILTER_NEAREST, FILTER_GOOD, JOIN_ROUND = 1, 3, 1, 1
local SONAME = "libcairo.so.2"
local LARGEST = 32767 -- pixels a side that cairo can paint

local cairo -- its functions by their names here, once it is loaded

-- The library, or an error that names the package. It stays loaded to the end of the process: what
-- it and its font library keep would otherwise be lost, not freed.
local function load()
  if cairo then return end
  local found, library = pcall(ffi.load, SONAME)
  if not found then
    errors.raise(("save: PNG files of figures are painted by cairo, and %s is not there; it is in "
                  .. "Debian's package libcairo2. SVG files need nothing"):format(SONAME))
  end
  local RTLD_NOW, RTLD_NODELETE = 0x2, 0x1000
  declare()
  ffi.C.sel_lua_dlopen(SONAME, RTLD_NOW + RTLD_NODELETE)
  cairo = setmetatable({}, { __index = function(self, name)
    self[name] = library["sel_lua_cairo_" .. name]
    return self[name]
  end })
end

local function set_colour(cr, colour)
  cairo.set_source_rgb(cr, colour[1] / 255, colour[2] / 255, colour[3] / 255)
end

local paint = {}

function paint.rectangle(cr, s)
  if s.colour then
    set_colour(cr, s.colour)
    cairo.rectangle(cr, s.x, s.y, s.width, s.height)
    cairo.fill(cr)
  end
  if s.outline then
    set_colour(cr, s.outline)
    cairo.set_line_width(cr, 1)
    cairo.rectangle(cr, s.x, s.y, s.width, s.height)
    cairo.stroke(cr)
  end
end

function paint.curve(cr, s)
  set_colour(cr, s.colour)
  cairo.set_line_width(cr, s.thickness)
  cairo.move_to(cr, s.points[1], s.points[2])
  for i = 3, #s.points, 2 do cairo.line_to(cr, s.points[i], s.points[i + 1]) end
  cairo.stroke(cr)
end

function paint.dot(cr, s)
  set_colour(cr, s.colour)
  cairo.new_path(cr)
  cairo.arc(cr, s.x, s.y, s.radius, 0, 2 * math.pi)
  cairo.fill(cr)
end

local parts = { start = 0, middle = 0.5, ["end"] = 1 } -- of a text's width, left of its place

function paint.text(cr, s)
  local extents = ffi.new "sel_lua_cairo_extents"
  set_colour(cr, s.colour)
  cairo.set_font_size(cr, s.size)
  cairo.text_extents(cr, s.text, extents)
  cairo.save(cr)
  cairo.translate(cr, s.x, s.y)
  if s.upwards then cairo.rotate(cr, -math.pi / 2) end
  cairo.move_to(cr, -extents.x_advance * parts[s.anchor], 0)
  cairo.show_text(cr, s.text)
  cairo.restore(cr)
end

-- Pixels as cairo keeps them: blue, green, red and a byte that isn't used.
local function to_cairo(source)
  local data = ffi.new("unsigned char[?]", 4 * source.width * source.height)
  local at = 0
  for y = 0, source.height - 1 do
    for x = 0, source.width - 1 do
      data[at + 2], data[at + 1], data[at] = pixels.at(source, x, y)
      at = at + 4
    end
  end
  return data
end

function paint.pixels(cr, s)
  local source = s.pixels
  local data = to_cairo(source) -- must live as long as the image
  local image = cairo.image_surface_create_for_data(data, FORMAT_RGB24, source.width,
                                                          source.height, 4 * source.width)
  cairo.save(cr)
  cairo.translate(cr, s.x, s.y)
  cairo.scale(cr, s.width / source.width, s.height / source.height)
  cairo.set_source_surface(cr, image, 0, 0)
  cairo.pattern_set_filter(cairo.get_source(cr),
                                 s.width >= source.width and FILTER_NEAREST or FILTER_GOOD)
  cairo.rectangle(cr, 0, 0, source.width, source.height)
  cairo.fill(cr)
  cairo.restore(cr)
  cairo.surface_destroy(image)
  return data
end

local function check(status)
  if status ~= 0 then
    errors.raise("save: cairo says: " .. ffi.string(cairo.status_to_string(status)))
  end
end

local function from_cairo(surface, width, height)
  cairo.surface_flush(surface)
  local data = cairo.image_surface_get_data(surface)
  local stride = cairo.image_surface_get_stride(surface)
  local out = pixels.new(width, height, 3)
  local to = 0
  for y = 0, height - 1 do
    for from = y * stride, y * stride + 4 * (width - 1), 4 do
      out.data[to], out.data[to + 1], out.data[to + 2] = data[from + 2], data[from + 1], data[from]
      to = to + 3
    end
  end
  return out
end

-- The drawing as pixels (pixels.lua).
return function(drawing)
  load()
  local width, height = math.ceil(drawing.width), math.ceil(drawing.height)
  if width > LARGEST or height > LARGEST then
    errors.raise(("save: expected a figure of at most %d pixels a side, got %d x %d")
                 :format(LARGEST, width, height))
  end
  local surface = ffi.gc(cairo.image_surface_create(FORMAT_RGB24, width, height),
                         cairo.surface_destroy)
  check(cairo.surface_status(surface))
  local cr = ffi.gc(cairo.create(surface), cairo.destroy)
  cairo.set_source_rgb(cr, 1, 1, 1)
  cairo.paint(cr)
  cairo.set_line_join(cr, JOIN_ROUND)
  cairo.select_font_face(cr, "sans-serif", 0, 0)
  for _, shape in ipairs(drawing) do paint[shape.kind](cr, shape) end
  check(cairo.status(cr))
  return from_cairo(surface, width, height)
end
