/* What a cell says, as a number. */
#ifndef SEL_DATA_CELL_H
#define SEL_DATA_CELL_H

#include <locale.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The whole cell, spaces around it aside: a decimal number, inf or nan; false: it is none. locale:
 * the C one, whose point is a point. */
bool cell_number(const char *text, size_t size, locale_t locale, double *out);
/* A decimal whole number of 64 bits. */
bool cell_integer(const char *text, size_t size, int64_t *out);

#endif
