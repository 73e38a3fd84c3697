# Compiler flags, ccache and sanitizers for all targets.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(JACKDAW_CCACHE ccache)
if(JACKDAW_CCACHE)
  # Paths relative to the checkout, so that every clone and build folder shares one cache.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${JACKDAW_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()

# The oldest CPU served is x86-64-v2; faster instruction sets are picked at run time, per kernel.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  add_compile_options(-march=x86-64-v2)
endif()
# No fused multiply-add behind our back: predictions must not depend on how the compiler contracts expressions.
add_compile_options(-ffp-contract=off)
add_compile_options(-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wcast-qual -Wpedantic -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False alarms of GCC 12 on inlined std::string and coroutine frames.
  add_compile_options(-Wno-restrict -Wno-maybe-uninitialized -Wno-dangling-pointer -Wno-stringop-overflow -Wno-array-bounds)
endif()

set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG -ffunction-sections -fdata-sections")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1 -fno-omit-frame-pointer")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -fno-omit-frame-pointer")

if(JACKDAW_SANITIZE)
  add_compile_options(-fsanitize=${JACKDAW_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${JACKDAW_SANITIZE})
  if(JACKDAW_SANITIZE MATCHES "thread")
    # Boost.Asio and std::atomic_thread_fence: TSan does not model fences, and GCC says so for every file.
    add_compile_options(-Wno-tsan)
  endif()
endif()
if(JACKDAW_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
