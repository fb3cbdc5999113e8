#include "arguments.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>

namespace edgeocr {
namespace {

// The whole of `text` as a number, or false.
template <class T> bool parse_number(std::string_view text, T* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc{} && end == text.data() + text.size();
}

std::string short_text(float number) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", static_cast<double>(number));
  return text;
}

}  // namespace

void Arguments::add(const char* name, const char* value, const char* help, std::function<void(const std::string&)> set) {
  options_.push_back({name, value, help, std::move(set)});
}

void Arguments::flag(const char* name, const char* help, bool* target) {
  add(name, "", help, [target](const std::string&) { *target = true; });
}

void Arguments::text(const char* name, const char* value, const char* help, std::string* target) {
  add(name, value, help, [name = std::string(name), target](const std::string& text) {
    if (text.empty()) throw UsageError(name + " is empty");
    *target = text;
  });
}

void Arguments::integer(const char* name, const char* value, const char* help, int* target, int low, int high) {
  add(name, value, help, [name = std::string(name), target, low, high](const std::string& text) {
    int number = 0;
    if (!parse_number(text, &number) || number < low || number > high) {
      throw UsageError(name + " is '" + text + "', expected an integer from " + std::to_string(low) + " to " + std::to_string(high));
    }
    *target = number;
  });
}

void Arguments::number(const char* name, const char* value, const char* help, float* target, float low, float high) {
  add(name, value, help, [name = std::string(name), target, low, high](const std::string& text) {
    float number = 0;
    if (!parse_number(text, &number) || !(number >= low && number <= high)) {
      throw UsageError(name + " is '" + text + "', expected a number from " + short_text(low) + " to " + short_text(high));
    }
    *target = number;
  });
}

void Arguments::shape(const char* name, const char* value, const char* help, std::vector<int64_t>* target) {
  add(name, value, help, [name = std::string(name), target](const std::string& text) {
    std::vector<int64_t> dims;
    for (size_t begin = 0; begin <= text.size();) {
      const size_t end = std::min(text.find(',', begin), text.size());
      int32_t dim = 0;
      if (!parse_number(std::string_view(text).substr(begin, end - begin), &dim) || dim < 1) {
        dims.clear();
        break;
      }
      dims.push_back(dim);
      begin = end + 1;
    }
    if (dims.size() != 4) throw UsageError(name + " is '" + text + "', expected four sizes N,C,H,W such as 1,3,640,640");
    *target = dims;
  });
}

Arguments::Option& Arguments::find(const std::string& name) {
  for (Option& option : options_) {
    if (option.name == name) return option;
  }
  throw UsageError("no such option: " + name);
}

std::vector<std::string> Arguments::parse(std::span<const char* const> arguments) {
  for (const std::string_view argument : arguments) {
    if (argument == "--") break;
    if (argument == "--help" || argument == "-h") {
      wants_help_ = true;
      return {};
    }
  }
  std::vector<std::string> rest;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string argument = arguments[i];
    if (argument == "--") {
      rest.insert(rest.end(), arguments.begin() + static_cast<ptrdiff_t>(i) + 1, arguments.end());
      break;
    }
    if (argument.size() < 2 || argument[0] != '-') {
      rest.push_back(argument);
      continue;
    }
    const size_t equals = argument.find('=');
    Option& option = find(argument.substr(0, equals));
    if (option.given) throw UsageError(option.name + " is given twice");
    option.given = true;
    if (option.value.empty()) {
      if (equals != std::string::npos) throw UsageError(option.name + " takes no value");
      option.set("");
    } else if (equals != std::string::npos) {
      option.set(argument.substr(equals + 1));
    } else if (i + 1 < arguments.size()) {
      option.set(arguments[++i]);
    } else {
      throw UsageError(option.name + " needs a value: " + option.name + " " + option.value);
    }
  }
  return rest;
}

std::string Arguments::help() const {
  std::string text = "usage: " + usage_ + "\n";
  for (const Option& option : options_) {
    std::string left = "  " + option.name + (option.value.empty() ? "" : " " + option.value);
    left.resize(std::max<size_t>(left.size() + 2, 30), ' ');
    text += left + option.help + "\n";
  }
  return text;
}

}  // namespace edgeocr
