/* The last step of every loss. */
#ifndef SEL_LOSS_H
#define SEL_LOSS_H

#include "scope.h"

/* Mean or sum of all losses, or the losses themselves. */
sel_tensor *sel__reduce_losses(sel_scope *s, sel_tensor *losses, sel_reduction reduction);

#endif
