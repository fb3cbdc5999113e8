// Bounded access to one FlatBuffer (flatbuffers 1.12, no file identifier, no size prefix):
//
//   buffer   u32 offset of the root table
//   table    i32 distance back to its vtable, then the fields' bytes
//   vtable   u16 bytes of the vtable, u16 bytes of the table, then per field u16 offset in the table, 0 = absent
//   field    a scalar, or a u32 offset from here to a string, vector or table
//   string   u32 length, the bytes, a NUL
//   vector   u32 count, then scalars, or u32 offsets from where each lies to a string or table
//
// Offsets may point anywhere, also many to one place. So every read is checked against the buffer, and what is read is paid
// from a budget in proportion to the buffer's size: a small file cannot ask for a large amount of memory. The data may lie at
// any alignment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace edgeocr::nb {

class FlatBuffer;

class Table {
 public:
  // The value of a scalar field, `fallback` where it is absent.
  template <class T> T scalar(int field, T fallback) const;
  // "" where absent. At most `max_length` bytes.
  std::string string(int field, size_t max_length) const;
  std::optional<Table> table(int field) const;
  // Empty where absent. At most `max_count` items; `what` names them in messages.
  template <class T> std::vector<T> scalars(int field, size_t max_count, const char* what) const;
  std::vector<std::string> strings(int field, size_t max_count, size_t max_length, const char* what) const;
  std::vector<Table> tables(int field, size_t max_count, const char* what) const;
  // The raw contents of a byte vector, in place.
  std::span<const std::byte> bytes(int field) const;

 private:
  friend class FlatBuffer;
  struct Items {
    size_t at, count;
  };  // first item's position
  Table(const FlatBuffer& buffer, size_t at);
  size_t field_at(int field, size_t size) const;  // position of the field's bytes, 0 = absent
  size_t target_of(int field) const;              // what an offset field points to, 0 = absent
  Items items(int field, size_t item_size, size_t max_count, const char* what) const;

  const FlatBuffer* buffer_;
  size_t at_;
  size_t size_ = 0, vtable_at_ = 0, vtable_size_ = 0;
};

class FlatBuffer {
 public:
  // `where` opens every message: "det.nb: topology". Tables refer to the buffer: it must outlive them.
  FlatBuffer(std::span<const std::byte> bytes, std::string where);
  Table root() const;

 private:
  friend class Table;
  const std::byte* check(size_t at, size_t size, const char* what) const;
  template <class T> T read(size_t at, const char* what) const {
    T value;
    std::memcpy(&value, check(at, sizeof(T), what), sizeof(T));
    return value;
  }
  size_t follow(size_t at, const char* what) const;  // the u32 offset stored at `at`
  std::string string_at(size_t at, size_t max_length) const;
  void spend(size_t bytes) const;

  std::span<const std::byte> bytes_;
  std::string where_;
  mutable size_t budget_;
};

template <class T> T Table::scalar(int field, T fallback) const {
  size_t at = field_at(field, sizeof(T));
  return at == 0 ? fallback : buffer_->read<T>(at, "field");
}

template <class T> std::vector<T> Table::scalars(int field, size_t max_count, const char* what) const {
  Items vector = items(field, sizeof(T), max_count, what);
  std::vector<T> values(vector.count);
  if (!values.empty()) std::memcpy(values.data(), buffer_->check(vector.at, vector.count * sizeof(T), what), vector.count * sizeof(T));
  return values;
}

}  // namespace edgeocr::nb
