# Adds the kernels to the library target `edgeocr`. CMAKE_SYSTEM_PROCESSOR says which instruction set levels there are; the
# loops are compiled once per level, everything else once.

set(EDGEOCR_KERNELS_DIR ${CMAKE_CURRENT_LIST_DIR})

set(EDGEOCR_KERNEL_SOURCES
  kernel_sets.cpp
  processor.cpp
  generic/activation.cpp
  generic/batch_norm.cpp
  generic/calib.cpp
  generic/concat.cpp
  generic/conv2d.cpp
  generic/conv2d_over_upsampled.cpp
  generic/conv2d_transpose.cpp
  generic/conv2d_transpose_pair.cpp
  generic/conv_gemm.cpp
  generic/conv_parameters.cpp
  generic/depthwise.cpp
  generic/dynamic_fc.cpp
  generic/elementwise.cpp
  generic/epilogue.cpp
  generic/fc.cpp
  generic/fc_form.cpp
  generic/fused_tail.cpp
  generic/gated_conv2d.cpp
  generic/greedy_ctc.cpp
  generic/interp.cpp
  generic/loops.cpp
  generic/matmul.cpp
  generic/matrix_product.cpp
  generic/parameters.cpp
  generic/pool2d.cpp
  generic/pool_windows.cpp
  generic/requantisation.cpp
  generic/reshape.cpp
  generic/rnn.cpp
  generic/scale.cpp
  generic/slice.cpp
  generic/softmax.cpp
  generic/split.cpp
  generic/table.cpp
  generic/transpose.cpp
  generic/views.cpp
  lstm.cpp
  tail.cpp
  unary.cpp)
list(TRANSFORM EDGEOCR_KERNEL_SOURCES PREPEND ${EDGEOCR_KERNELS_DIR}/)

set(EDGEOCR_LOOP_SOURCES
  generic/loops_depthwise.cpp
  generic/loops_elementwise.cpp
  generic/loops_gemm.cpp
  generic/loops_quantise.cpp
  generic/loops_table.cpp)
list(TRANSFORM EDGEOCR_LOOP_SOURCES PREPEND ${EDGEOCR_KERNELS_DIR}/)

# Vectors of eight lanes are passed by value between inline functions only: how a level without AVX would pass them to others
# does not matter.
set_source_files_properties(${EDGEOCR_LOOP_SOURCES} PROPERTIES COMPILE_OPTIONS -Wno-psabi)

# The levels besides `baseline`, which is what the whole target is compiled for, and their flags.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(EDGEOCR_LEVELS x86_64_v3)
  set(EDGEOCR_FLAGS_x86_64_v3 -march=x86_64_v3)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  set(EDGEOCR_LEVELS armv82_dotprod)
  set(EDGEOCR_FLAGS_armv82_dotprod -mcpu=generic+v8_2a+dotprod+fullfp16)
endif()

target_sources(edgeocr PRIVATE ${EDGEOCR_KERNEL_SOURCES} ${EDGEOCR_LOOP_SOURCES})
foreach(level IN LISTS EDGEOCR_LEVELS)
  add_library(loops_${level} OBJECT ${EDGEOCR_LOOP_SOURCES})
  target_include_directories(loops_${level} PRIVATE ${EDGEOCR_KERNELS_DIR}/.. ${EDGEOCR_KERNELS_DIR}/../../include)
  target_compile_options(loops_${level} PRIVATE ${EDGEOCR_FLAGS_${level}})
  target_compile_definitions(loops_${level} PRIVATE EDGEOCR_ISA=${level})
  set_target_properties(loops_${level} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_sources(edgeocr PRIVATE $<TARGET_OBJECTS:loops_${level}>)
endforeach()

# Kernel sets for one architecture, in object libraries of their own flags. What they share is around the loops of either, the floating
# point kernels mostly as templates over a set's types.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64|x86_64|AMD64")
  file(GLOB EDGEOCR_SHARED_SOURCES CONFIGURE_DEPENDS ${EDGEOCR_KERNELS_DIR}/floating/*.cpp ${EDGEOCR_KERNELS_DIR}/int8/*.cpp)
  target_sources(edgeocr PRIVATE ${EDGEOCR_SHARED_SOURCES})
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  file(GLOB EDGEOCR_NEON_SOURCES CONFIGURE_DEPENDS ${EDGEOCR_KERNELS_DIR}/neon/*.cpp)
  add_library(kernels_neon OBJECT ${EDGEOCR_NEON_SOURCES})
  target_include_directories(kernels_neon PRIVATE ${EDGEOCR_KERNELS_DIR}/.. ${EDGEOCR_KERNELS_DIR}/../../include)
  target_compile_options(kernels_neon PRIVATE -mcpu=generic+dotprod+fullfp16)
  edgeocr_precompile(kernels_neon <arm_neon.h>)
  # Its copies of requant.h's and math.h's inline functions are its own.
  target_compile_definitions(kernels_neon PRIVATE EDGEOCR_ISA=armv8_neon)
  set_target_properties(kernels_neon PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_sources(edgeocr PRIVATE $<TARGET_OBJECTS:kernels_neon>)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  # The inner loops once per level, what is around them once, for the baseline.
  file(GLOB EDGEOCR_X86_SOURCES CONFIGURE_DEPENDS ${EDGEOCR_KERNELS_DIR}/x86/*.cpp)
  file(GLOB EDGEOCR_X86_INNER_SOURCES CONFIGURE_DEPENDS ${EDGEOCR_KERNELS_DIR}/x86/inner_*.cpp)
  list(REMOVE_ITEM EDGEOCR_X86_INNER_SOURCES ${EDGEOCR_KERNELS_DIR}/x86/inner_loops.cpp)
  list(REMOVE_ITEM EDGEOCR_X86_SOURCES ${EDGEOCR_X86_INNER_SOURCES})
  target_sources(edgeocr PRIVATE ${EDGEOCR_X86_SOURCES})
  set(EDGEOCR_X86_LEVELS x86_64_v3 avx512_vnni)
  set(EDGEOCR_FLAGS_avx512_vnni -march=x86_64_v4+avx512vnni)
  foreach(level IN LISTS EDGEOCR_X86_LEVELS)
    add_library(kernels_x86_${level} OBJECT ${EDGEOCR_X86_INNER_SOURCES})
    target_include_directories(kernels_x86_${level} PRIVATE ${EDGEOCR_KERNELS_DIR}/.. ${EDGEOCR_KERNELS_DIR}/../../include)
    target_compile_options(kernels_x86_${level} PRIVATE ${EDGEOCR_FLAGS_${level}})
    target_compile_definitions(kernels_x86_${level} PRIVATE EDGEOCR_ISA=${level})
    set_target_properties(kernels_x86_${level} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    target_sources(edgeocr PRIVATE $<TARGET_OBJECTS:kernels_x86_${level}>)
  endforeach()
endif()
