// Writes a JSON document, parses it into a tree with a small arena, and sums what it finds.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
enum kind { NUL, BOOLEAN, NUMBER, STRING, ARRAY, OBJECT };
struct value { enum kind kind; struct value *next, *child; const char *key; double number; const char *text; int length; };
static char *at;
static struct value *arena;
static int used;
static void space(void) { while (*at == ' ' || *at == '\n') at++; }
static struct value *make(enum kind kind) { struct value *v = &arena[used++]; memset(v, 0, sizeof *v); v->kind = kind; return v; }
static char *string(int *length) {
  char *start = ++at, *to = start;
  while (*at != '"') {
    if (*at == '\\') { at++; *to++ = *at == 'n' ? '\n' : *at == 't' ? '\t' : *at; at++; } else *to++ = *at++;
  }
  *length = (int)(to - start);
  at++;
  return start;
}
static struct value *parse(void) {
  space();
  struct value *v;
  if (*at == '{' || *at == '[') {
    char close = *at == '{' ? '}' : ']';
    v = make(close == '}' ? OBJECT : ARRAY);
    struct value **tail = &v->child;
    at++;
    for (space(); *at != close; space()) {
      const char *key = 0;
      int length;
      if (close == '}') { key = string(&length); space(); at++; }
      *tail = parse();
      (*tail)->key = key;
      tail = &(*tail)->next;
      space();
      if (*at == ',') { at++; space(); }
    }
    at++;
  } else if (*at == '"') { v = make(STRING); v->text = string(&v->length); }
  else if (*at == 't') { v = make(BOOLEAN); v->number = 1; at += 4; }
  else if (*at == 'f') { v = make(BOOLEAN); at += 5; }
  else if (*at == 'n') { v = make(NUL); at += 4; }
  else { v = make(NUMBER); v->number = strtod(at, &at); }
  return v;
}
static double sum(const struct value *v) {
  double s = v->number + v->length + v->kind;
  for (const struct value *c = v->child; c; c = c->next) s += sum(c);
  return s;
}
int main(void) {
  enum { ITEMS = 40000 };
  char *text = malloc(ITEMS * 160), *work = malloc(ITEMS * 160);
  arena = malloc(sizeof *arena * (ITEMS * 12 + 16));
  char *p = text;
  *p++ = '[';
  for (int i = 0; i < ITEMS; i++)
    p += sprintf(p, "%s\n {\"id\": %d, \"name\": \"item \\\"%d\\\"\", \"price\": %d.%02d, \"tags\": [\"a%d\", \"b\", true, null], \"deep\": {\"x\": -%d.5e2}}",
                 i ? "," : "", i, i * 7, i % 1000, i % 100, i % 13, i % 97);
  strcpy(p, "]");
  double total = 0;
  for (int round = 0; round < 40; round++) {
    strcpy(work, text);
    at = work;
    used = 0;
    total += sum(parse());
  }
  printf("%.3f %d\n", total, used);
  return 0;
}
