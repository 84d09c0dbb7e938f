// The mix of an embedded benchmark: linked list, matrix, state machine and CRC, each checking the next.
#include <stdint.h>
#include <stdio.h>

enum { NODES = 512, SIDE = 32, TEXT = 4096, ROUNDS = 20000 };

struct node { struct node *next; int16_t key, value; };
static struct node nodes[NODES];
static int16_t a[SIDE][SIDE], b[SIDE][SIDE];
static int32_t c[SIDE][SIDE];
static char text[TEXT + 1];

static uint16_t crc16(uint16_t crc, uint32_t word) {
  for (int i = 0; i < 32; i++, word >>= 1) crc = ((crc ^ word) & 1) ? (crc >> 1) ^ 0xA001 : crc >> 1;
  return crc;
}

static struct node *merge_sort(struct node *head, int by_key) {
  for (int size = 1;; size *= 2) {
    struct node *p = head, *tail = 0;
    int merges = 0;
    head = 0;
    while (p) {
      struct node *q = p;
      int left = 0, right = size;
      merges++;
      for (; left < size && q; left++) q = q->next;
      while (left > 0 || (right > 0 && q)) {
        int take_left = right == 0 || !q || (left > 0 && (by_key ? p->key <= q->key : p->value <= q->value));
        struct node *e = left == 0 ? q : take_left ? p : q;
        if (e == p && left > 0) { p = p->next; left--; } else { q = q->next; right--; }
        if (tail) tail->next = e; else head = e;
        tail = e;
      }
      p = q;
    }
    tail->next = 0;
    if (merges <= 1) return head;
  }
}

static uint32_t matrix(int seed) {
  uint32_t sum = 0;
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++) {
      int32_t s = 0;
      for (int k = 0; k < SIDE; k++) s += a[i][k] * (b[k][j] + seed);
      c[i][j] = s;
      sum += (uint32_t)s ^ (uint32_t)(i * j);
    }
  return sum;
}

// Counts tokens of a number grammar: sign, digits, point, exponent.
static uint32_t states(void) {
  uint32_t count[6] = {0};
  int state = 0;
  for (const char *p = text; *p; p++) {
    char ch = *p;
    switch (state) {
      case 0: state = ch == '+' || ch == '-' ? 1 : ch >= '0' && ch <= '9' ? 2 : ch == ',' ? 0 : 5; break;
      case 1: state = ch >= '0' && ch <= '9' ? 2 : 5; break;
      case 2: state = ch == '.' ? 3 : ch == 'e' ? 4 : ch == ',' ? 0 : ch >= '0' && ch <= '9' ? 2 : 5; break;
      case 3: state = ch >= '0' && ch <= '9' ? 3 : ch == 'e' ? 4 : ch == ',' ? 0 : 5; break;
      case 4: state = ch >= '0' && ch <= '9' ? 4 : ch == ',' ? 0 : 5; break;
      default: state = ch == ',' ? 0 : 5;
    }
    count[state]++;
  }
  return count[2] * 31 + count[3] * 17 + count[4] * 7 + count[5];
}

int main(void) {
  static const char *tokens[] = {"5012,", "-874.5,", "1.2e7,", "+122,", "x7q,", "3e-,", "0.5,", "T0.3e-1F,"};
  uint32_t random = 1;
  for (int i = 0, t = 0; i < TEXT;) {
    for (const char *p = tokens[t++ % 8]; *p && i < TEXT; p++) text[i++] = *p;
  }
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++) { a[i][j] = (int16_t)(i * 3 + j); b[i][j] = (int16_t)(i - j * 2); }
  uint16_t crc = 0xFFFF;
  for (int round = 0; round < ROUNDS; round++) {
    for (int i = 0; i < NODES; i++) {
      random = random * 1103515245u + 12345u;
      nodes[i].key = (int16_t)(random >> 16);
      nodes[i].value = (int16_t)i;
      nodes[i].next = i + 1 < NODES ? &nodes[i + 1] : 0;
    }
    struct node *head = merge_sort(nodes, 1);
    crc = crc16(crc, (uint32_t)head->key);
    head = merge_sort(head, 0);
    crc = crc16(crc, (uint32_t)head->key);
    crc = crc16(crc, matrix(round & 7));
    text[round % TEXT] ^= (char)(round & 1);
    crc = crc16(crc, states());
  }
  printf("%04x\n", crc);
  return 0;
}
