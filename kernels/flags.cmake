# Instruction sets per file; the CPU is asked at run time before one of these is called. g++ 12 has no -march=znver4.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set_source_files_properties(${CMAKE_SOURCE_DIR}/kernels/cpu/forest_block_avx2.cpp
                              PROPERTIES COMPILE_OPTIONS "-mavx2;-mbmi;-mbmi2")
  set_source_files_properties(${CMAKE_SOURCE_DIR}/kernels/cpu/forest_block_avx512.cpp
                              PROPERTIES COMPILE_OPTIONS "-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mbmi;-mbmi2")
endif()
