#include "nb/flatbuffer.h"

#include "base/error.h"

namespace edgeocr::nb {

namespace {

// A table costs its bytes and this much more, which covers what it becomes in memory.
constexpr size_t kTableCost = 16;
// Files made by opt share nothing but vtables and so spend at most the buffer's size and kTableCost per table. Minimised ones store
// equal tables and strings once and spend up to 5 times their size.
constexpr size_t kBudgetFactor = 16, kBudgetBase = 4096;

}  // namespace

FlatBuffer::FlatBuffer(std::span<const std::byte> bytes, std::string where)
    : bytes_(bytes), where_(std::move(where)), budget_(kBudgetFactor * bytes.size() + kBudgetBase) {}

const std::byte* FlatBuffer::check(size_t at, size_t size, const char* what) const {
  if (at > bytes_.size() || size > bytes_.size() - at)
    fail("%s: %s at byte %zu takes %zu bytes, expected to end by byte %zu", where_.c_str(), what, at, size, bytes_.size());
  return bytes_.data() + at;
}

void FlatBuffer::spend(size_t bytes) const {
  if (bytes > budget_)
    fail("%s: its tables name more than %zu bytes, expected at most that for %zu bytes of file", where_.c_str(),
         kBudgetFactor * bytes_.size() + kBudgetBase, bytes_.size());
  budget_ -= bytes;
}

size_t FlatBuffer::follow(size_t at, const char* what) const {
  auto offset = read<uint32_t>(at, what);
  if (offset == 0 || offset >= bytes_.size() - at)
    fail("%s: %s offset at byte %zu is %u, expected 1 to %zu", where_.c_str(), what, at, offset, bytes_.size() - at - 1);
  return at + offset;
}

Table FlatBuffer::root() const { return Table(*this, follow(0, "root table")); }

std::string FlatBuffer::string_at(size_t at, size_t max_length) const {
  auto length = read<uint32_t>(at, "string length");
  if (length > max_length) fail("%s: string at byte %zu has length %u, expected at most %zu", where_.c_str(), at, length, max_length);
  spend(length);
  const std::byte* text = check(at + 4, size_t{length} + 1, "string");
  if (text[length] != std::byte{0})
    fail("%s: string at byte %zu ends with byte %d, expected NUL", where_.c_str(), at, std::to_integer<int>(text[length]));
  return {reinterpret_cast<const char*>(text), length};
}

Table::Table(const FlatBuffer& buffer, size_t at) : buffer_(&buffer), at_(at) {
  const char* where = buffer.where_.c_str();
  int64_t vtable = static_cast<int64_t>(at) - buffer.read<int32_t>(at, "table");
  if (vtable < 0 || static_cast<uint64_t>(vtable) >= buffer.bytes_.size())
    fail("%s: vtable of the table at byte %zu is at %lld, expected 0 to %zu", where, at, static_cast<long long>(vtable),
         buffer.bytes_.size() - 1);
  vtable_at_ = static_cast<size_t>(vtable);
  vtable_size_ = buffer.read<uint16_t>(vtable_at_, "vtable");
  size_ = buffer.read<uint16_t>(vtable_at_ + 2, "vtable");
  if (vtable_size_ < 4 || vtable_size_ % 2 != 0)
    fail("%s: vtable at byte %zu has size %zu, expected an even size of at least 4", where, vtable_at_, vtable_size_);
  if (size_ < 4) fail("%s: table at byte %zu has size %zu, expected at least 4", where, at, size_);
  buffer.check(vtable_at_, vtable_size_, "vtable");
  buffer.check(at, size_, "table");
  buffer.spend(size_ + kTableCost);
}

size_t Table::field_at(int field, size_t size) const {
  size_t slot = 4 + 2 * static_cast<size_t>(field);
  if (slot >= vtable_size_) return 0;
  size_t offset = buffer_->read<uint16_t>(vtable_at_ + slot, "vtable");
  if (offset == 0) return 0;
  if (offset < 4 || offset + size > size_)
    fail("%s: field %d of the table at byte %zu has offset %zu and %zu bytes, expected inside 4 to %zu", buffer_->where_.c_str(), field,
         at_, offset, size, size_);
  return at_ + offset;
}

size_t Table::target_of(int field) const {
  size_t at = field_at(field, sizeof(uint32_t));
  return at == 0 ? 0 : buffer_->follow(at, "field");
}

std::string Table::string(int field, size_t max_length) const {
  size_t at = target_of(field);
  return at == 0 ? std::string() : buffer_->string_at(at, max_length);
}

std::optional<Table> Table::table(int field) const {
  size_t at = target_of(field);
  if (at == 0) return std::nullopt;
  return Table(*buffer_, at);
}

Table::Items Table::items(int field, size_t item_size, size_t max_count, const char* what) const {
  size_t at = target_of(field);
  if (at == 0) return {0, 0};
  size_t count = buffer_->read<uint32_t>(at, what);
  if (count > max_count) fail("%s: %s count at byte %zu is %zu, expected at most %zu", buffer_->where_.c_str(), what, at, count, max_count);
  buffer_->check(at + 4, count * item_size, what);
  buffer_->spend(count * item_size);
  return {at + 4, count};
}

std::span<const std::byte> Table::bytes(int field) const {
  Items vector = items(field, 1, buffer_->bytes_.size(), "byte");
  return vector.count == 0 ? std::span<const std::byte>() : std::span(buffer_->check(vector.at, vector.count, "byte"), vector.count);
}

std::vector<std::string> Table::strings(int field, size_t max_count, size_t max_length, const char* what) const {
  Items vector = items(field, 4, max_count, what);
  std::vector<std::string> values;
  values.reserve(vector.count);
  for (size_t i = 0; i < vector.count; i++) values.push_back(buffer_->string_at(buffer_->follow(vector.at + 4 * i, what), max_length));
  return values;
}

std::vector<Table> Table::tables(int field, size_t max_count, const char* what) const {
  Items vector = items(field, 4, max_count, what);
  std::vector<Table> values;
  values.reserve(vector.count);
  for (size_t i = 0; i < vector.count; i++) values.push_back(Table(*buffer_, buffer_->follow(vector.at + 4 * i, what)));
  return values;
}

}  // namespace edgeocr::nb
