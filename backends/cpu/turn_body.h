/* Turning four rows of four numbers around, for one type: included with VALUE, TYPED(name). Vectors
 * of four are known to compilers for all machines. */

typedef VALUE TYPED(four)
    __attribute__((vector_size(4 * sizeof(VALUE)), aligned(sizeof(VALUE)), may_alias));
#define FOUR TYPED(four)

/* Four rows of four, `from_step` and `to_step` apart, transposed. */
CPU_INLINE void TYPED(turn_four)(const VALUE *from, int64_t from_step, VALUE *to, int64_t to_step) {
  const FOUR a = *(const FOUR *)from, b = *(const FOUR *)(from + from_step),
             c = *(const FOUR *)(from + 2 * from_step), d = *(const FOUR *)(from + 3 * from_step);
  const FOUR ac0 = __builtin_shufflevector(a, c, 0, 4, 1, 5);
  const FOUR ac1 = __builtin_shufflevector(a, c, 2, 6, 3, 7);
  const FOUR bd0 = __builtin_shufflevector(b, d, 0, 4, 1, 5);
  const FOUR bd1 = __builtin_shufflevector(b, d, 2, 6, 3, 7);
  *(FOUR *)to = __builtin_shufflevector(ac0, bd0, 0, 4, 1, 5);
  *(FOUR *)(to + to_step) = __builtin_shufflevector(ac0, bd0, 2, 6, 3, 7);
  *(FOUR *)(to + 2 * to_step) = __builtin_shufflevector(ac1, bd1, 0, 4, 1, 5);
  *(FOUR *)(to + 3 * to_step) = __builtin_shufflevector(ac1, bd1, 2, 6, 3, 7);
}

#undef FOUR
