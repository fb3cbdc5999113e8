# What is not ours: libjpeg-turbo (built by tools/build_libjpeg.sh), stb_image and doctest (Debian's libstb-dev, doctest-dev).

# Debian's headers lie in /usr/include, which must not be searched when another C library is compiled for: give them a folder
# of their own.
function(edgeocr_debian_headers target folder package)
  find_path(EDGEOCR_${target}_FOLDER NAMES ${folder} PATHS /usr/include NO_CMAKE_FIND_ROOT_PATH NO_DEFAULT_PATH)
  if(NOT EDGEOCR_${target}_FOLDER)
    message(FATAL_ERROR "/usr/include/${folder} is missing: run `make setup`, or apt-get install ${package}")
  endif()
  file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/headers/${folder}")
  file(CREATE_LINK "${EDGEOCR_${target}_FOLDER}/${folder}" "${CMAKE_BINARY_DIR}/headers/${folder}/${folder}" SYMBOLIC)
  add_library(${target} INTERFACE)
  target_include_directories(${target} SYSTEM INTERFACE "${CMAKE_BINARY_DIR}/headers/${folder}")
endfunction()

edgeocr_debian_headers(stb stb libstb-dev)
edgeocr_debian_headers(doctest doctest doctest-dev)

set(EDGEOCR_JPEG "${CMAKE_SOURCE_DIR}/build/third_party/jpeg-${EDGEOCR_TARGET}" CACHE PATH "libjpeg-turbo: lib/libjpeg.a and include/")
if(NOT EXISTS "${EDGEOCR_JPEG}/lib/libjpeg.a")
  message(FATAL_ERROR "${EDGEOCR_JPEG}/lib/libjpeg.a is missing: run tools/build_libjpeg.sh ${EDGEOCR_TARGET}")
endif()
add_library(jpeg STATIC IMPORTED)
set_target_properties(jpeg PROPERTIES IMPORTED_LOCATION "${EDGEOCR_JPEG}/lib/libjpeg.a")
target_include_directories(jpeg SYSTEM INTERFACE "${EDGEOCR_JPEG}/include")
