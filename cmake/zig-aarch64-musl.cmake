# Toolchain: the phone. Static and musl: glibc's start-up makes system calls that Android's seccomp filter for apps kills.
include("${CMAKE_CURRENT_LIST_DIR}/zig.cmake")
set(EDGEOCR_TARGET aarch64)
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
edgeocr_use_zig(aarch64-linux-musl)
# 64 KB covers phones with 4, 16 and 64 KB pages.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static -Wl,-z,max-page-size=65536")
find_program(EDGEOCR_QEMU NAMES qemu-aarch64-static qemu-aarch64)
if(EDGEOCR_QEMU AND NOT CMAKE_HOST_SYSTEM_PROCESSOR STREQUAL "aarch64")
  set(CMAKE_CROSSCOMPILING_EMULATOR "${EDGEOCR_QEMU};-cpu;max")
endif()
