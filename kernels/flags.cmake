# Flags per file. Instruction sets: the CPU is asked at run time before one of these is called; g++ 12 has no
# -march=znver4. No SLP: it turns eight interleaved searches into vector inserts and extracts, three times slower.
set(jackdaw_forest_kernels ${CMAKE_SOURCE_DIR}/kernels/cpu/forest)
set_source_files_properties(${jackdaw_forest_kernels}_row.cpp ${jackdaw_forest_kernels}_block_plain.cpp
                            PROPERTIES COMPILE_OPTIONS "-fno-tree-slp-vectorize")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set_source_files_properties(${jackdaw_forest_kernels}_block_avx2.cpp
                              PROPERTIES COMPILE_OPTIONS "-fno-tree-slp-vectorize;-mavx2;-mbmi;-mbmi2")
  set_source_files_properties(
    ${jackdaw_forest_kernels}_block_avx512.cpp
    PROPERTIES COMPILE_OPTIONS "-fno-tree-slp-vectorize;-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mbmi;-mbmi2")
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set_source_files_properties(${CMAKE_SOURCE_DIR}/kernels/cpu/machine_avx2.cpp PROPERTIES COMPILE_OPTIONS "-mavx2")
  set_source_files_properties(${CMAKE_SOURCE_DIR}/kernels/cpu/machine_amx.cpp
                              PROPERTIES COMPILE_OPTIONS "-mamx-tile;-mamx-int8")
  set_source_files_properties(${CMAKE_SOURCE_DIR}/kernels/cpu/machine_avx512.cpp
                              PROPERTIES COMPILE_OPTIONS "-mavx512f;-mavx512bw;-mavx512vl;-mavx512vnni")
endif()
# Vectors and attention: one header each, compiled per instruction set. GCC 12 takes the undefined registers inside its
# own AVX-512 intrinsics for mistakes. -O3, because at -O2 it leaves the loops over a tile's registers rolled and keeps
# the tile in memory: more than three times slower.
if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  set(jackdaw_unroll "-O3")
endif()
set_source_files_properties(${CMAKE_SOURCE_DIR}/kernels/cpu/attention_plain.cpp
                            PROPERTIES COMPILE_OPTIONS "${jackdaw_unroll}")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  foreach(kernel vector attention)
    set_source_files_properties(${CMAKE_SOURCE_DIR}/kernels/cpu/${kernel}_avx2.cpp
                                PROPERTIES COMPILE_OPTIONS "-mavx2;-mfma;-mf16c;${jackdaw_unroll}")
    set_source_files_properties(
      ${CMAKE_SOURCE_DIR}/kernels/cpu/${kernel}_avx512.cpp
      PROPERTIES COMPILE_OPTIONS
                 "-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mfma;-mf16c;-Wno-uninitialized;${jackdaw_unroll}")
  endforeach()
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set_source_files_properties(${CMAKE_SOURCE_DIR}/kernels/cpu/linear_avx2.cpp
                              PROPERTIES COMPILE_OPTIONS "-O2;-mavx2;-mfma;-mf16c;-mprfchw")
  set_source_files_properties(
    ${CMAKE_SOURCE_DIR}/kernels/cpu/linear_avx512.cpp
    PROPERTIES COMPILE_OPTIONS "-O2;-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mavx512vnni;-mfma;-mf16c;-mprfchw")
  set_source_files_properties(
    ${CMAKE_SOURCE_DIR}/kernels/cpu/linear_amx.cpp
    PROPERTIES
      COMPILE_OPTIONS
      "-O2;-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mavx512vnni;-mamx-tile;-mamx-int8;-mfma;-mf16c;-mprfchw;-Wno-uninitialized")
endif()
# TreeSHAP: vectors of the compiler's own, so that flags are all that differs. -O3 unrolls the loops over points.
set_source_files_properties(${CMAKE_SOURCE_DIR}/kernels/cpu/tree_shap_plain.cpp
                            PROPERTIES COMPILE_OPTIONS "${jackdaw_unroll}")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set_source_files_properties(${CMAKE_SOURCE_DIR}/kernels/cpu/tree_shap_avx2.cpp
                              PROPERTIES COMPILE_OPTIONS "-mavx2;${jackdaw_unroll}")
  set_source_files_properties(${CMAKE_SOURCE_DIR}/kernels/cpu/tree_shap_avx512.cpp
                              PROPERTIES COMPILE_OPTIONS "-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;${jackdaw_unroll}")
endif()
# Fuzzers come to kernels only through callers that check for them: clang takes minutes to instrument one unrolled file.
if(JACKDAW_FUZZ)
  target_compile_options(jackdaw_kernels PRIVATE -fno-sanitize=all)
endif()
