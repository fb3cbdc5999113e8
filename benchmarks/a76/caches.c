// QEMU TCG plugin: the data caches of a Snapdragon 855's prime core, and what goes beyond them. Writes "reads-and-writes misses" of L1, L2
// and L3, a line each, at exit. Argument: out=FILE. For programs of one thread: nothing is locked.
//
// L1D 64 KB of 4 ways, L2 512 KB of 8, L3 2 MB of 16, lines of 64 bytes, least recently used out first; a line that L1 misses brings
// the next one into L2 as well, and what that fetches from beyond L3 counts there. Written lines are not counted a second time when they
// leave.
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin.h"

int qemu_plugin_version = 1;

enum { kLineShift = 6 };

struct cache {
  unsigned sets, ways;
  uint64_t* lines;    // [set][way]; no address is all ones
  uint64_t* touched;  // the clock when that way was last used
  uint64_t accesses, misses;
};

static struct cache l1, l2, l3;
static uint64_t clock_now;
static const char* out_path = "caches.txt";

static void make_cache(struct cache* c, unsigned kilobytes, unsigned ways) {
  c->ways = ways;
  c->sets = (kilobytes << 10 >> kLineShift) / ways;
  size_t count = (size_t)c->sets * ways;
  c->lines = malloc(count * sizeof *c->lines);
  memset(c->lines, 0xff, count * sizeof *c->lines);
  c->touched = calloc(count, sizeof *c->touched);
}

// Whether the line was there; it is afterwards.
static bool touch(struct cache* c, uint64_t line) {
  uint64_t *lines = c->lines + line % c->sets * c->ways, *touched = c->touched + line % c->sets * c->ways;
  unsigned oldest = 0;
  for (unsigned way = 0; way < c->ways; way++) {
    if (lines[way] == line) {
      touched[way] = ++clock_now;
      return true;
    }
    if (touched[way] < touched[oldest]) oldest = way;
  }
  lines[oldest] = line;
  touched[oldest] = ++clock_now;
  return false;
}

static bool count(struct cache* c, uint64_t line) {
  bool hit = touch(c, line);
  c->accesses++;
  c->misses += !hit;
  return hit;
}

static void access_line(uint64_t line) {
  if (count(&l1, line)) return;
  if (!count(&l2, line)) count(&l3, line);
  if (!touch(&l2, line + 1)) count(&l3, line + 1);
}

static void on_access(unsigned int vcpu, qemu_plugin_meminfo_t info, uint64_t address, void* unused) {
  (void)vcpu, (void)unused;
  uint64_t first = address >> kLineShift, last = (address + (1u << qemu_plugin_mem_size_shift(info)) - 1) >> kLineShift;
  access_line(first);
  if (last != first) access_line(last);
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb* tb) {
  (void)id;
  for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++)
    qemu_plugin_register_vcpu_mem_cb(qemu_plugin_tb_get_insn(tb, i), on_access, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW, NULL);
}

static void on_exit_write(qemu_plugin_id_t id, void* unused) {
  (void)id, (void)unused;
  FILE* file = fopen(out_path, "w");
  if (file == NULL) return;  // the reader reports the missing file
  const struct cache* caches[] = {&l1, &l2, &l3};
  for (int i = 0; i < 3; i++) fprintf(file, "%" PRIu64 " %" PRIu64 "\n", caches[i]->accesses, caches[i]->misses);
  fclose(file);
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t* info, int argc, char** argv) {
  (void)info;
  for (int i = 0; i < argc; i++)
    if (strncmp(argv[i], "out=", 4) == 0) out_path = strdup(argv[i] + 4);
  make_cache(&l1, 64, 4);
  make_cache(&l2, 512, 8);
  make_cache(&l3, 2048, 16);
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
  qemu_plugin_register_atexit_cb(id, on_exit_write, NULL);
  return 0;
}
