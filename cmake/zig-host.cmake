# Toolchain: this machine, Linux with glibc (x86-64 or aarch64).
include("${CMAKE_CURRENT_LIST_DIR}/zig.cmake")
set(EDGEOCR_TARGET host)
if(NOT CMAKE_HOST_SYSTEM_PROCESSOR)
  cmake_host_system_information(RESULT CMAKE_HOST_SYSTEM_PROCESSOR QUERY OS_PLATFORM)
endif()
edgeocr_use_zig(${CMAKE_HOST_SYSTEM_PROCESSOR}-linux-gnu)
