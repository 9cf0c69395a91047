/* A shared object that is no plugin. */
int hostile_answer(void);
__attribute__((visibility("default"))) int hostile_answer(void) { return 42; }
