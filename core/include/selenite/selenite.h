/* All of Selenite's C interface. docs/ARCHITECTURE.md says how the parts fit together. */
#ifndef SELENITE_H
#define SELENITE_H

#include "autograd.h"
#include "backend.h"
#include "base.h"
#include "data.h"
#include "file.h"
#include "fuse.h"
#include "layer.h"
#include "nn.h"
#include "ops.h"
#include "optim.h"
#include "plugin.h"
#include "pointwise.h"
#include "profile.h"
#include "source.h"
#include "tensor.h"

#endif
