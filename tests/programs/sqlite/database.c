/*
 * Builds or checks a database of a given number of rows, about 1 KiB each, whose every value follows
 * from its row number, so that whoever opens the file can say what must be in it.
 *
 * database build PATH ROWS | check PATH ROWS | change PATH ROWS
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sqlite3.h"

#define BODY_BYTES 960
#define LOOKUPS 10000

static sqlite3 *database;

static void fail(const char *what) {
  fprintf(stderr, "database: %s: %s\n", what, database ? sqlite3_errmsg(database) : "no memory");
  exit(1);
}

static void execute(const char *sql) {
  if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK) fail(sql);
}

static sqlite3_stmt *prepare(const char *sql) {
  sqlite3_stmt *statement;
  if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK) fail(sql);
  return statement;
}

/* Prints the rows of a query, one a line, columns between bars. */
static void show(const char *sql) {
  sqlite3_stmt *statement = prepare(sql);
  int status;
  while ((status = sqlite3_step(statement)) == SQLITE_ROW) {
    for (int i = 0; i < sqlite3_column_count(statement); i++) {
      printf("%s%s", i ? "|" : "", (const char *)sqlite3_column_text(statement, i));
    }
    printf("\n");
  }
  if (status != SQLITE_DONE) fail(sql);
  sqlite3_finalize(statement);
}

/* xorshift32, seeded with the row number: bodies that do not compress and can be made again. */
static void fill_body(uint32_t seed, uint8_t *body) {
  uint32_t x = seed * 2654435761u + 1;
  for (size_t i = 0; i < BODY_BYTES; i++) {
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    body[i] = (uint8_t)x;
  }
}

static void build(int rows) {
  uint8_t body[BODY_BYTES];
  execute("create table item (id integer primary key, name text not null, category integer, price integer, body blob)");
  execute("begin");
  sqlite3_stmt *insert = prepare("insert into item values (?1, 'item-' || ?1, ?1 % 97, (?1 * 7919) % 100003, ?2)");
  for (int id = 1; id <= rows; id++) {
    fill_body((uint32_t)id, body);
    sqlite3_bind_int(insert, 1, id);
    sqlite3_bind_blob(insert, 2, body, sizeof body, SQLITE_STATIC);
    if (sqlite3_step(insert) != SQLITE_DONE) fail("insert");
    sqlite3_reset(insert);
  }
  sqlite3_finalize(insert);
  execute("commit");
  execute("create index item_name on item (name)");
  execute("create index item_price on item (category, price)");
}

static void change(int rows) {
  sqlite3_stmt *delete = prepare("delete from item where id > ?1");
  execute("begin");
  sqlite3_bind_int(delete, 1, rows - rows / 10);
  if (sqlite3_step(delete) != SQLITE_DONE) fail("delete");
  sqlite3_finalize(delete);
  execute("update item set price = price + 1 where category = 7");
  execute("commit");
  execute("begin");
  execute("delete from item");
  execute("rollback");
}

static void check_bodies(int rows) {
  uint8_t body[BODY_BYTES];
  int equal = 0;
  sqlite3_stmt *select = prepare("select id, body from item where name = 'item-' || ?1");
  for (int i = 0; i < LOOKUPS; i++) {
    int id = 1 + (int)((i * 7919LL) % rows);
    sqlite3_bind_int(select, 1, id);
    if (sqlite3_step(select) == SQLITE_ROW && sqlite3_column_int(select, 0) == id) {
      fill_body((uint32_t)id, body);
      equal += sqlite3_column_bytes(select, 1) == BODY_BYTES && memcmp(sqlite3_column_blob(select, 1), body, BODY_BYTES) == 0;
    }
    sqlite3_reset(select);
  }
  sqlite3_finalize(select);
  printf("bodies %d of %d\n", equal, LOOKUPS);
}

static void report(void) {
  show("select 'integrity', * from pragma_integrity_check");
  show("select 'rows', count(*), sum(price), min(id), max(id) from item");
  show("select 'category', category, count(*), sum(price) from item group by category order by sum(price) desc, category limit 3");
  show("select 'join', count(*) from item a join item b on b.id = a.price where a.category = 5");
  show("select 'like', count(*) from item where name like 'item-%77'");
  show("select 'window', id, price from (select id, price, row_number() over (order by price desc, id) n from item) where n in (1, 1000)");
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: database build|check|change PATH ROWS\n");
    return 2;
  }
  int rows = atoi(argv[3]);
  if (rows < 1000 || sqlite3_open(argv[2], &database) != SQLITE_OK) fail(argv[2]);
  if (strcmp(argv[1], "build") == 0) build(rows);
  else if (strcmp(argv[1], "change") == 0) change(rows);
  else check_bodies(rows);
  report();
  sqlite3_close(database);
  return 0;
}
