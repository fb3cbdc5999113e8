#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstring>

#include "base/error.h"

namespace edgeocr {

namespace {

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

}  // namespace

std::vector<std::byte> read_whole_file(const std::string& path, uint64_t max_bytes) {
  // O_NONBLOCK: opening a FIFO must not hang; it has no effect on a regular file.
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.fd < 0) fail("%s: cannot open: %s", path.c_str(), std::strerror(errno));
  struct stat info{};
  if (::fstat(file.fd, &info) != 0) fail("%s: cannot stat: %s", path.c_str(), std::strerror(errno));
  if (S_ISDIR(info.st_mode)) fail("%s: is a directory, expected a file", path.c_str());
  if (!S_ISREG(info.st_mode)) fail("%s: is not a regular file", path.c_str());
  auto size = static_cast<uint64_t>(info.st_size);
  if (size > max_bytes) fail("%s: size is %" PRIu64 " bytes, expected at most %" PRIu64, path.c_str(), size, max_bytes);

  std::vector<std::byte> bytes(static_cast<size_t>(size));
  for (size_t done = 0; done < bytes.size();) {
    ssize_t n = ::read(file.fd, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("%s: cannot read: %s", path.c_str(), std::strerror(errno));
    if (n == 0) fail("%s: ends after %zu bytes, expected %zu: it was cut short while being read", path.c_str(), done, bytes.size());
    done += static_cast<size_t>(n);
  }
  return bytes;
}

}  // namespace edgeocr
