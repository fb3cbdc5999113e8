// edgeocr_run bench: times one net.
#include <chrono>
#include <cstdio>
#include <fstream>
#include <numeric>
#include <random>

#include "arguments.h"
#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/tensor.h"
#include "command.h"
#include "edgeocr/session.h"
#include "float_file.h"
#include "nchw.h"
#include "mode.h"
#include "nb/nb.h"
#include "records.h"

namespace edgeocr {
namespace {

using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point start) { return std::chrono::duration<double, std::milli>(Clock::now() - start).count(); }

struct BenchOptions {
  std::string model, input_file, output_file;
  ModeOptions mode;
  std::vector<int64_t> input;
  int repeats = 10, warmup = 1, threads = 1;
  bool generic_only = false, profile = false;
};

// Uniform in [-1, 1), the same on every machine: only the engine is specified by the standard, not the distributions.
std::vector<float> noise(int64_t count) {
  std::mt19937 engine(20220527);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = static_cast<float>(engine() >> 8) * 0x1p-23f - 1.0f;
  return values;
}

// Peak resident memory of this process; 0 where the kernel does not tell.
int64_t peak_rss_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    long long kilobytes = 0;
    if (std::sscanf(line.c_str(), "VmHWM: %lld kB", &kilobytes) == 1) return kilobytes * 1024;
  }
  return 0;
}

std::vector<double> time_runs(Session& session, int warmup, int repeats) {
  for (int i = 0; i < warmup; ++i) session.run();
  std::vector<double> ms;
  for (int i = 0; i < repeats; ++i) {
    const Clock::time_point start = Clock::now();
    session.run();
    ms.push_back(ms_since(start));
  }
  return ms;
}

// Mean time of every node over as many runs.
void emit_profile(Session& session, int repeats) {
  std::vector<NodeProfile> nodes = session.profile();
  for (int i = 1; i < repeats; ++i) {
    const std::vector<NodeProfile> more = session.profile();
    for (size_t n = 0; n < nodes.size(); ++n) nodes[n].ms += more[n].ms;
  }
  for (size_t n = 0; n < nodes.size(); ++n) emit_node(static_cast<int>(n), nodes[n], nodes[n].ms / repeats);
}

BenchOptions parse(CommandArguments given, Arguments& arguments) {
  BenchOptions options;
  arguments.shape("--input", "N,C,H,W", "input shape", &options.input);
  arguments.integer("--repeats", "N", "timed runs (10)", &options.repeats, 1, 1'000'000);
  arguments.integer("--warmup", "N", "runs before them (1)", &options.warmup, 0, 1'000'000);
  arguments.integer("--threads", "T", "threads (1)", &options.threads, 1, 64);
  arguments.flag("--generic", "plain kernels only", &options.generic_only);
  add_mode(arguments, options.mode);
  arguments.flag("--profile", "also time every operator", &options.profile);
  arguments.text("--input-file", "F.f32", "input, NCHW fp32 (noise from a fixed seed)", &options.input_file);
  arguments.text("--output-file", "F.f32", "write the first output there, whole, NCHW fp32", &options.output_file);
  const std::vector<std::string> rest = arguments.parse(given);
  if (arguments.wants_help()) return options;
  if (rest.size() != 1)
    throw UsageError("expected one model, got " + std::to_string(rest.size()) + ": edgeocr_run bench MODEL.nb --input N,C,H,W");
  if (options.input.empty()) throw UsageError("--input is missing: name the input shape, such as --input 1,3,640,640");
  options.model = rest[0];
  return options;
}

void bench(const BenchOptions& options) {
  const std::string sha256 = sha256_hex(read_whole_file(options.model, nb::kMaxFileBytes));
  const Clock::time_point start = Clock::now();
  SessionOptions session_options;
  session_options.threads = options.threads;
  session_options.generic_only = options.generic_only;
  set_mode(session_options, options.mode);
  session_options.greedy_ctc = options.output_file.empty();
  Session session = Session::load(options.model, session_options);
  const double load_ms = ms_since(start);

  const Shape shape{std::span<const int64_t>(options.input)};
  const TensorView input = session.prepare({&shape, 1});
  copy_from_nchw(options.input_file.empty() ? noise(shape.count()) : read_floats(options.input_file, shape.count()), input);
  const std::vector<double> ms = time_runs(session, options.warmup, options.repeats);
  const bool greedy_ctc = session.output().dtype == DataType::i32;  // its classes; their probabilities follow
  const std::vector<float> output = copy_to_nchw(session.output(greedy_ctc ? 1 : 0));
  const Shape output_shape = session.output().shape;
  if (options.profile) emit_profile(session, options.repeats);
  if (!options.output_file.empty()) write_floats(options.output_file, output);

  JsonWriter record = begin_record("bench");
  record.key("model").value(options.model);
  record.key("sha256").value(sha256);
  write_shape(record, "input", shape);
  write_shape(record, "output", output_shape);
  record.key("greedy_ctc").value(greedy_ctc);
  record.key("threads").value(options.threads);
  record.key("ms").begin_array();
  for (const double sample : ms) record.value(sample);
  record.end_array();
  record.key("load_ms").value(load_ms);
  record.key("macs").value(session.macs());
  record.key("arena_bytes").value(session.arena_bytes());
  record.key("weight_bytes").value(session.weight_bytes());
  record.key("peak_rss_bytes").value(peak_rss_bytes());
  record.key("output_sum").value(std::accumulate(output.begin(), output.end(), 0.0));
  emit(record);
}

}  // namespace

int command_bench(CommandArguments given) {
  Arguments arguments("edgeocr_run bench MODEL.nb --input N,C,H,W [options]");
  const BenchOptions options = parse(given, arguments);
  if (arguments.wants_help()) {
    std::fputs(arguments.help().c_str(), stdout);
    return 0;
  }
  emit_hello(options.threads);
  bench(options);
  return 0;
}

}  // namespace edgeocr
