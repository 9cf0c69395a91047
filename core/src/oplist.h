/* The operation list: one row an operation, beside the rows of SEL_POINTWISE, which are operations
 * too. The struct sel_op sel__op_<name> stands in the file of its family.
 *
 * From this list come sel_op_count/name/flags, and through them the tests' enumeration: an
 * operation without a conformance case, or differentiable without a gradient check, fails the
 * tests.
 */
#ifndef SEL_OPLIST_H
#define SEL_OPLIST_H

/* clang-format off */
#define SEL_OPS(X) \
  X(copy) X(cast) \
  X(sum) X(mean) X(prod) X(amax) X(amin) X(argmax) X(argmin) X(any) X(all) X(var) X(sum_abs) \
  X(sum_square) X(cumsum) \
  X(view) X(permute) X(expand) X(slice) X(slice_grad) \
  X(cat) X(stack) X(pad) X(flip) \
  X(index_select) X(index_add) X(gather) X(scatter) X(scatter_add) X(embedding) X(one_hot) \
  X(sort) X(topk) \
  X(matmul) X(linear) \
  X(softmax) X(softmax_grad) X(log_softmax) X(log_softmax_grad) \
  X(cross_entropy) X(cross_entropy_grad) \
  X(conv) X(conv_transpose) X(conv_weight) \
  X(max_pool) X(max_pool_grad) X(avg_pool) X(avg_pool_grad) X(upsample) X(upsample_grad) \
  X(batch_norm) X(layer_norm) X(rms_norm) X(group_norm) X(norm_grad) \
  X(recurrence) X(recurrence_grad) \
  X(attention) X(attention_grad) \
  X(dropout)
/* clang-format on */

#endif
