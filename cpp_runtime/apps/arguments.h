// Command-line arguments of one command: long options with a value (`--threads 4`, `--threads=4`), flags, and the rest.
#pragma once

#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace edgeocr {

// The command was called wrongly: one line that names the option. Exit code 2.
class UsageError : public std::runtime_error {
 public:
  explicit UsageError(const std::string& message) : std::runtime_error(message) {}
};

class Arguments {
 public:
  // `usage` is the first line of help(): "edgeocr_run info MODEL.nb [options]".
  explicit Arguments(std::string usage) : usage_(std::move(usage)) {}

  // Each binds an option to a variable, which keeps its value where the option is not given. `value` names the value in help().
  // Out of [low, high] or not a number is a UsageError.
  void flag(const char* name, const char* help, bool* target);
  void text(const char* name, const char* value, const char* help, std::string* target);
  void integer(const char* name, const char* value, const char* help, int* target, int low, int high);
  void number(const char* name, const char* value, const char* help, float* target, float low, float high);
  // Four sizes "N,C,H,W", each >= 1.
  void shape(const char* name, const char* value, const char* help, std::vector<int64_t>* target);

  // Reads the arguments behind the command's name; `--` ends the options. Returns the other arguments, in order.
  // Throws UsageError for an unknown or doubled option and for a missing or bad value.
  std::vector<std::string> parse(std::span<const char* const> arguments);
  // True if parse() met `--help`: nothing else was checked.
  bool wants_help() const { return wants_help_; }
  std::string help() const;

 private:
  struct Option {
    std::string name, value, help;  // value: empty for a flag
    std::function<void(const std::string&)> set;
    bool given = false;
  };
  void add(const char* name, const char* value, const char* help, std::function<void(const std::string&)> set);
  Option& find(const std::string& name);

  std::string usage_;
  std::vector<Option> options_;
  bool wants_help_ = false;
};

}  // namespace edgeocr
