// Allocates, walks and frees binary trees: malloc, calls and pointers.
#include <stdio.h>
#include <stdlib.h>
struct tree { struct tree *left, *right; };
static struct tree *grow(int depth) {
  struct tree *t = malloc(sizeof *t);
  t->left = depth ? grow(depth - 1) : 0;
  t->right = depth ? grow(depth - 1) : 0;
  return t;
}
static int count(const struct tree *t) { return t ? 1 + count(t->left) + count(t->right) : 0; }
static void fell(struct tree *t) { if (t) { fell(t->left); fell(t->right); free(t); } }
int main(void) {
  long total = 0;
  for (int depth = 4; depth <= 18; depth += 2)
    for (int i = 0; i < 1 << (22 - depth); i++) { struct tree *t = grow(depth); total += count(t); fell(t); }
  printf("%ld\n", total);
  return 0;
}
