/* What the plugin loader and the registries tell each other: which file is being loaded, and how to
 * take back what it registered before it failed. (Backends: device.h.) */
#ifndef SEL_REGISTRY_H
#define SEL_REGISTRY_H

#include "selenite/layer.h"

/* File of the plugin whose init runs on this thread, "" outside of one. Lives as long as the
 * process. */
const char *sel__loading_file(void);

int sel__layer_type_count(void); /* retired ones included */
/* Forgets all layer types but the first n. */
void sel__layer_types_truncate(int n);

/* Retires the types that came from the file `origin`: their names are free, what was made of them
 * goes on. Returns a number by which they can be revived. */
int sel__layer_types_retire(const char *origin);
void sel__layer_types_revive(int number);

/* Refuses a description that contradicts itself. */
sel_status sel__layer_type_check(const sel_layer_type *type);

/* Ports of a layer type: as many tensors as a forward call takes at most. */
enum { SEL__MAX_PORTS = 16 };

#endif
