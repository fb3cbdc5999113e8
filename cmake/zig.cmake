# Clang and LLD from PyPI's ziglang as CMake's compiler, the same on every machine and for every target.
#
# edgeocr_use_zig(TRIPLE) sets CMAKE_CXX_COMPILER, CMAKE_AR and CMAKE_RANLIB to small wrappers, written into <build>/zig, which
# call `zig c++ -target TRIPLE`, `zig ar` and `zig ranlib`: CMake wants one program where zig has sub-commands.
# EDGEOCR_PYTHON is the interpreter that has ziglang; default: the checkout's .venv.

set(EDGEOCR_PYTHON "${CMAKE_CURRENT_LIST_DIR}/../.venv/bin/python" CACHE FILEPATH "Python that has the ziglang package")

function(edgeocr_find_zig result)
  execute_process(
    COMMAND "${EDGEOCR_PYTHON}" -c "import os, ziglang; print(os.path.join(os.path.dirname(ziglang.__file__), 'zig'))"
    OUTPUT_VARIABLE zig OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
  if(NOT status EQUAL 0 OR NOT EXISTS "${zig}")
    message(FATAL_ERROR "${EDGEOCR_PYTHON} has no ziglang: run `make setup`, or pass -DEDGEOCR_PYTHON=<python with ziglang>")
  endif()
  set(${result} "${zig}" PARENT_SCOPE)
endfunction()

# The version stands in the wrapper because ccache knows the compiler by the wrapper's content.
function(edgeocr_write_wrapper path command)
  execute_process(COMMAND "${EDGEOCR_ZIG}" version OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE)
  file(CONFIGURE OUTPUT "${path}" CONTENT "#!/bin/sh\n# zig ${version}\nexec ${command} \"$@\"\n")
  file(CHMOD "${path}" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
endfunction()

macro(edgeocr_use_zig triple)
  # try_compile reads the toolchain file again in a scratch folder: hand it the wrappers of the real one.
  list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES EDGEOCR_PYTHON EDGEOCR_WRAPPERS)
  if(NOT EDGEOCR_WRAPPERS)
    set(EDGEOCR_WRAPPERS "${CMAKE_BINARY_DIR}/zig")
    edgeocr_find_zig(EDGEOCR_ZIG)
    edgeocr_write_wrapper("${EDGEOCR_WRAPPERS}/c++" "'${EDGEOCR_ZIG}' c++ -target ${triple}")
    edgeocr_write_wrapper("${EDGEOCR_WRAPPERS}/ar" "'${EDGEOCR_ZIG}' ar")
    edgeocr_write_wrapper("${EDGEOCR_WRAPPERS}/ranlib" "'${EDGEOCR_ZIG}' ranlib")
  endif()
  set(CMAKE_CXX_COMPILER "${EDGEOCR_WRAPPERS}/c++")
  set(CMAKE_AR "${EDGEOCR_WRAPPERS}/ar" CACHE FILEPATH "" FORCE)
  set(CMAKE_RANLIB "${EDGEOCR_WRAPPERS}/ranlib" CACHE FILEPATH "" FORCE)
  # ccache, where it is installed, must be told what kind of compiler the wrapper is.
  find_program(EDGEOCR_CCACHE ccache)
  if(EDGEOCR_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND};-E;env;CCACHE_COMPILERTYPE=clang;CCACHE_COMPILERCHECK=content;CCACHE_NOHASHDIR=1;${EDGEOCR_CCACHE}")
  endif()
  # zig's driver does not know the flag.
  set(CMAKE_LINK_DEPENDS_USE_LINKER OFF)
endmacro()
