# The standard library's larger headers are read once per target instead of once per file: half the time of a build. Files still include
# what they use; -DEDGEOCR_PRECOMPILE=OFF builds without, as is the default beside ccache, which does not keep what such headers made.
if(EDGEOCR_CCACHE)
  set(EDGEOCR_PRECOMPILE_DEFAULT OFF)
else()
  set(EDGEOCR_PRECOMPILE_DEFAULT ON)
endif()
option(EDGEOCR_PRECOMPILE "Read the standard library's headers once per target" ${EDGEOCR_PRECOMPILE_DEFAULT})

# Of zig's driver: it makes a precompiled header when it is asked for a c++-header, without the options that clang itself takes.
set(CMAKE_CXX_COMPILE_OPTIONS_CREATE_PCH -include <PCH_HEADER> -x c++-header)
set(CMAKE_CXX_COMPILE_OPTIONS_USE_PCH -include-pch <PCH_FILE>)

# Not for object libraries of loops that are compiled once per instruction set level: they have next to nothing of the standard library.
function(edgeocr_precompile target)
  if(EDGEOCR_PRECOMPILE)
    target_precompile_headers(${target} PRIVATE <algorithm> <functional> <map> <memory> <numeric> <optional> <span> <string> <variant> <vector> ${ARGN})
  endif()
endfunction()
