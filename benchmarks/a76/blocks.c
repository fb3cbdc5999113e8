// QEMU TCG plugin: counts how often each translated block runs and writes "address count code-words…" per block at exit.
//
// Argument: out=FILE.
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin.h"

int qemu_plugin_version = 1;

struct block {
  uint64_t address, runs;
  size_t count;
  uint32_t* code;
  struct block* next;
};

enum { kBuckets = 1 << 16 };
static struct block* buckets[kBuckets];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static const char* out_path = "blocks.txt";

static struct block* find_or_add(struct qemu_plugin_tb* tb) {
  uint64_t address = qemu_plugin_tb_vaddr(tb);
  size_t count = qemu_plugin_tb_n_insns(tb);
  struct block** bucket = &buckets[(address >> 2) % kBuckets];
  for (struct block* b = *bucket; b != NULL; b = b->next)
    if (b->address == address && b->count == count) return b;
  struct block* b = calloc(1, sizeof *b);
  b->address = address;
  b->count = count;
  b->code = malloc(count * sizeof *b->code);
  for (size_t i = 0; i < count; i++) memcpy(&b->code[i], qemu_plugin_insn_data(qemu_plugin_tb_get_insn(tb, i)), sizeof *b->code);
  b->next = *bucket;
  *bucket = b;
  return b;
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb* tb) {
  (void)id;
  pthread_mutex_lock(&mutex);
  struct block* b = find_or_add(tb);
  pthread_mutex_unlock(&mutex);
  qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &b->runs, 1);
}

static void on_exit_write(qemu_plugin_id_t id, void* unused) {
  (void)id, (void)unused;
  FILE* file = fopen(out_path, "w");
  if (file == NULL) return;  // the reader reports the missing file
  for (int i = 0; i < kBuckets; i++)
    for (struct block* b = buckets[i]; b != NULL; b = b->next) {
      if (b->runs == 0) continue;
      fprintf(file, "%" PRIx64 " %" PRIu64, b->address, b->runs);
      for (size_t k = 0; k < b->count; k++) fprintf(file, " %08x", b->code[k]);
      fputc('\n', file);
    }
  fclose(file);
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t* info, int argc, char** argv) {
  (void)info;
  for (int i = 0; i < argc; i++)
    if (strncmp(argv[i], "out=", 4) == 0) out_path = strdup(argv[i] + 4);
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
  qemu_plugin_register_atexit_cb(id, on_exit_write, NULL);
  return 0;
}
