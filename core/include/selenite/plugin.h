/* Plugins: shared objects that bring backends or layer types.
 *
 * A plugin includes these headers, links against libselenite and exports one constant:
 *
 *   SEL_EXPORT const sel_plugin sel_plugin_descriptor = {
 *     .magic = SEL_PLUGIN_MAGIC, .abi_major = SEL_ABI_MAJOR, .abi_minor = SEL_ABI_MINOR,
 *     .size = sizeof(sel_plugin), .name = "fc", .version = "0.1.0", .licence = "MIT",
 *     .kind = SEL_PLUGIN_LAYERS, .init = init };
 *
 * The loader refuses, with a message that names the file and prints both sides: a file without the
 * constant, a wrong magic or major version, a minor version newer than the host's, a struct larger
 * than the host knows, a name loaded before, an init that fails.
 */
#ifndef SELENITE_PLUGIN_H
#define SELENITE_PLUGIN_H

#include "backend.h"
#include "layer.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { SEL_PLUGIN_MAGIC = 0x534c4e54 }; /* "SLNT" */

typedef enum sel_plugin_kind { SEL_PLUGIN_BACKEND = 1, SEL_PLUGIN_LAYERS = 2 } sel_plugin_kind;

typedef struct sel_plugin {
  uint32_t magic;
  uint16_t abi_major, abi_minor;
  size_t size; /* sizeof(sel_plugin) the plugin was built with */
  const char *name, *version, *licence;
  sel_plugin_kind kind;
  /* Registers what the plugin brings: sel_register_backend, sel_register_layer_type. Called once,
   * in the loading thread; loads no other plugin. What was registered before a failure is taken
   * back; the file stays mapped then, as init may have left threads or exit handlers behind. */
  sel_status (*init)(void);
} sel_plugin;

/* Loads one file; a name without '/' is a file of the working directory, never of the linker's
 * search path. A file that is loaded already is left as it is. Any thread may call. */
SEL_API sel_status sel_plugin_load(const char *path);
/* Loads a layer plugin that is loaded already once more, because its file was changed; one that is
 * not loaded is loaded. Names now mean the new layer types, and a name that the new file brings no
 * more is unknown; layers that were made before keep their types, and the old code stays mapped.
 * When the file is refused, all is as before. Backends can't be reloaded. The changed file must be
 * a new one of the same name, as linkers write it, since the old bytes are in use. */
SEL_API sel_status sel_plugin_reload(const char *path);
/* Loads all *.so files of a folder in alphabetical order; files that are refused don't stop the
 * others: the first refusal is returned, the number loaded goes to `loaded` in any case (NULL
 * allowed). */
SEL_API sel_status sel_plugin_load_folder(const char *folder, int *loaded);
/* Loads the folder `selenite` beside libselenite, then each folder of `extra_path` (absolute,
 * separated by ':'; NULL for none). Never looks in the working directory. Refusals are as in
 * sel_plugin_load_folder; after a call without one, further calls do nothing. */
SEL_API sel_status sel_init(const char *extra_path);

SEL_API int sel_plugin_count(void);
SEL_API const sel_plugin *sel_plugin_at(int i); /* borrowed; NULL past the last */
SEL_API const char *sel_plugin_path_at(int i);  /* file it came from; borrowed */

#ifdef __cplusplus
}
#endif
#endif
