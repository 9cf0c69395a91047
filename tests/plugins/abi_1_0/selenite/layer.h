/* Layers: parameters, buffers and children with a forward function, of a type that describes its
 * own options.
 *
 * A layer type is data that a plugin registers: from its option table come argument checks, the Lua
 * constructor nn.<name>, help and completion. forward composes the operations of ops.h, whose
 * gradients come free, or records a pair of functions (sel_record).
 */
#ifndef SELENITE_LAYER_H
#define SELENITE_LAYER_H

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sel_layer sel_layer;

/* ---- options ----
 * Values follow the rule of what users type in Lua, also when C sets them: an option that names a
 * dimension counts from 1, and from -1 for the last. sel_options_dim converts for ops.h. */

typedef enum sel_option_kind {
  SEL_OPTION_INT = 0, /* whole number, `low`..`high` */
  SEL_OPTION_NUMBER,  /* double, `low`..`high` */
  SEL_OPTION_BOOL,
  SEL_OPTION_STRING, /* one of `choices` where given, "relu|tanh" */
  /* up to `max_count` whole numbers (one stands for all), each low..high; or, where `choices` are
   * given, one of these words instead: padding = "same" */
  SEL_OPTION_INTS,
  SEL_OPTION_DTYPE /* "f32", ... */
} sel_option_kind;

typedef struct sel_option {
  const char *name;
  sel_option_kind kind;
  bool required;            /* then default_text is not read */
  const char *default_text; /* "0", "0.1", "true", "relu", "1,1", "f32" */
  double low, high;         /* both 0: no bounds; INFINITY for one side */
  int max_count;            /* INTS */
  const char *choices;      /* STRING, INTS, or NULL */
  const char *doc;          /* one line */
} sel_option;

/* Values for the options of one layer: made for a type, filled by name, checked as they are set. */
typedef struct sel_options sel_options;
typedef struct sel_layer_type sel_layer_type;

SEL_API sel_status sel_options_new(const sel_layer_type *type, sel_options **out); /* new */
SEL_API void sel_options_release(sel_options *options);
SEL_API sel_status sel_options_set_number(sel_options *options, const char *name, double value);
SEL_API sel_status sel_options_set_bool(sel_options *options, const char *name, bool value);
SEL_API sel_status sel_options_set_string(sel_options *options, const char *name,
                                          const char *value);
SEL_API sel_status sel_options_set_ints(sel_options *options, const char *name, int n,
                                        const int64_t *values);
/* Reads; the default where nothing was set. Asking for a name or kind the type has not is a bug of
 * the layer type and gives 0, false, "" (and an assertion in debug builds). */
SEL_API int64_t sel_options_int(const sel_options *options, const char *name);
SEL_API double sel_options_number(const sel_options *options, const char *name);
SEL_API bool sel_options_bool(const sel_options *options, const char *name);
/* STRING, or the word of INTS, "" where numbers were given. Borrowed. */
SEL_API const char *sel_options_string(const sel_options *options, const char *name);
/* Writes n values, repeating a single one; the count given by the user must be 1 or n. A word is
 * refused: ask sel_options_string first. */
SEL_API sel_status sel_options_ints(const sel_options *options, const char *name, int n,
                                    int64_t *values);
/* How many values the user gave for INTS (the default has a count too); 0: a word. */
SEL_API int sel_options_count(const sel_options *options, const char *name);
/* An INT that names a dimension, as ops.h counts: 1 becomes 0, -1 stays. 0 is refused. */
SEL_API sel_status sel_options_dim(const sel_options *options, const char *name, int *out);
SEL_API sel_dtype sel_options_dtype(const sel_options *options, const char *name);
SEL_API bool sel_options_is_set(const sel_options *options, const char *name);

/* ---- layer types ---- */

typedef struct sel_port {
  const char *name;  /* "input", "mask" */
  const char *shape; /* "[N, *, in_features]", for help and errors */
  bool optional;     /* forward may receive NULL */
} sel_port;

struct sel_layer_type {
  size_t size;         /* sizeof(sel_layer_type) the plugin was built with */
  const char *name;    /* "linear" */
  const char *summary; /* one line */
  const char *example; /* Lua, one or more lines; runs as it stands after `local sel, nn` */
  int n_options;
  const sel_option *options;
  int n_inputs;
  const sel_port *inputs;
  int n_outputs; /* forward writes at most this many; unused ones stay NULL */
  const sel_port *outputs;
  size_t state_size; /* private bytes of one layer, zeroed, at sel_layer_state */

  /* Reads options, adds parameters, buffers and children. */
  sel_status (*init)(sel_layer *self, const sel_options *options);
  /* Frees what `state` owns beyond parameters and children; may be NULL. Also called when init
   * failed: what init did not reach is zero. */
  void (*finish)(sel_layer *self);
  /* Inputs are borrowed (NULL where optional and not given); outputs are new. */
  sel_status (*forward)(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs);
  /* What `print(layer)` shows between the brackets, into text of `size` bytes. NULL: the options
   * that were set, or all of them where none was. */
  void (*describe)(const sel_layer *self, char *text, size_t size);
};

/* Called from a plugin's init; the table is borrowed and lives as long as the plugin. A name that
 * is taken, or a description that contradicts itself, is refused. */
SEL_API sel_status sel_register_layer_type(const sel_layer_type *type);
SEL_API const sel_layer_type *sel_layer_type_find(const char *name);   /* NULL: none. Borrowed */
SEL_API const sel_layer_type *sel_layer_type_at(int i);                /* NULL past the last */
SEL_API const char *sel_layer_type_origin(const sel_layer_type *type); /* plugin file; borrowed */

/* ---- layers ---- */

SEL_API sel_status sel_layer_new(const sel_layer_type *type, const sel_options *options,
                                 sel_layer **out);
/* The same by name, options as "in_features=3, out_features=4, bias=false, kernel_size=3x3". */
SEL_API sel_status sel_layer_make(const char *name, const char *options, sel_layer **out);
SEL_API sel_layer *sel_layer_retain(sel_layer *layer);
SEL_API void sel_layer_release(sel_layer *layer);
/* Checks ports, then runs the type's forward. inputs: n <= n_inputs, missing ones are NULL. Errors
 * begin with the way from here to the layer that failed, "encoder.3.linear: ". */
SEL_API sel_status sel_layer_forward(sel_layer *layer, int n, sel_tensor *const *inputs,
                                     sel_tensor **outputs);
/* For the common layer of one input and one output; further ones are optional, outputs dropped. */
SEL_API sel_status sel_layer_apply(sel_layer *layer, sel_tensor *input, sel_tensor **out);
SEL_API const sel_layer_type *sel_layer_get_type(const sel_layer *layer);
SEL_API void *sel_layer_state(sel_layer *layer);
/* What stands between the brackets of `print(layer)`, cut to size; returns text. */
SEL_API const char *sel_layer_describe(const sel_layer *layer, char *text, size_t size);

SEL_API bool sel_layer_training(const sel_layer *layer);
SEL_API void sel_layer_set_training(sel_layer *layer, bool on); /* children too */

/* For init: adds a named parameter, buffer or child. Tensor and child are taken; a parameter gets
 * requires_grad. Names are distinct and without '.'; no layer can be a part of itself.
 * NULL adds a name without tensor (a bias that is off). A buffer that is not persistent is moved
 * with the layer but not saved. */
SEL_API sel_status sel_layer_add_parameter(sel_layer *layer, const char *name, sel_tensor *tensor);
SEL_API sel_status sel_layer_add_buffer(sel_layer *layer, const char *name, sel_tensor *tensor,
                                        bool persistent);
SEL_API sel_status sel_layer_add_child(sel_layer *layer, const char *name, sel_layer *child);

typedef enum sel_slot_kind {
  SEL_SLOT_PARAMETER = 0,
  SEL_SLOT_BUFFER,
  SEL_SLOT_SCRATCH
} sel_slot_kind;
/* Parameters and buffers of the layer itself, in the order they were added. SCRATCH: a buffer that
 * is not persistent. */
SEL_API int sel_layer_slot_count(const sel_layer *layer);
SEL_API const char *sel_layer_slot_name(const sel_layer *layer, int i); /* borrowed */
SEL_API sel_slot_kind sel_layer_slot_kind(const sel_layer *layer, int i);
SEL_API sel_tensor *sel_layer_slot(const sel_layer *layer, int i); /* borrowed, or NULL */
SEL_API sel_tensor *sel_layer_tensor(const sel_layer *layer, const char *name); /* borrowed, NULL */
/* Replaces the tensor (taken; requires_grad stays as it is), for tying weights. */
SEL_API sel_status sel_layer_set_slot(sel_layer *layer, int i, sel_tensor *tensor);
SEL_API int sel_layer_child_count(const sel_layer *layer);
SEL_API const char *sel_layer_child_name(const sel_layer *layer, int i); /* borrowed */
SEL_API sel_layer *sel_layer_child(const sel_layer *layer, int i);       /* borrowed */
/* Moves all slots, children's too; parameters take their gradients along and tied ones stay tied.
 * The tensors are new where something changes: tell the optimizer afterwards. On failure nothing
 * moves. dtype SEL_DTYPE_COUNT, device NULL: unchanged. Only float slots change dtype. */
SEL_API sel_status sel_layer_to(sel_layer *layer, sel_dtype dtype, sel_device *device);

#ifdef __cplusplus
}
#endif
#endif
