# Every third-party library comes from a Debian 12 package and is linked statically; README lists why each is here.
find_package(Threads REQUIRED)
set(Boost_USE_STATIC_LIBS ON)
find_package(Boost 1.81 REQUIRED)
find_package(CLI11 REQUIRED)

# Static archives only: a shared one would show up in `ldd jackdaw`.
function(jackdaw_static name archive)
  find_library(JACKDAW_LIB_${name} NAMES ${archive} REQUIRED)
  add_library(jackdaw_dep_${name} INTERFACE)
  target_link_libraries(jackdaw_dep_${name} INTERFACE ${JACKDAW_LIB_${name}})
endfunction()
jackdaw_static(z libz.a)
jackdaw_static(bz2 libbz2.a)
jackdaw_static(lzma liblzma.a)
jackdaw_static(lz4 liblz4.a)
jackdaw_static(yaml_cpp libyaml-cpp.a)
# Debian's archive is built with extensions that need libm; dlopen is in libc since glibc 2.34.
jackdaw_static(sqlite libsqlite3.a)
target_link_libraries(jackdaw_dep_sqlite INTERFACE m ${CMAKE_DL_LIBS})
# TLS. libcrypto asks for dlopen (engines that nobody loads here), which is in libc since glibc 2.34.
jackdaw_static(ssl libssl.a)
jackdaw_static(crypto libcrypto.a)
target_link_libraries(jackdaw_dep_ssl INTERFACE jackdaw_dep_crypto ${CMAKE_DL_LIBS})
# Line editing for `jackdaw run` and what its archive needs.
jackdaw_static(edit libedit.a)
jackdaw_static(bsd libbsd.a)
jackdaw_static(md libmd.a)
jackdaw_static(tinfo libtinfo.a)
target_link_libraries(jackdaw_dep_edit INTERFACE jackdaw_dep_bsd jackdaw_dep_md jackdaw_dep_tinfo)
add_library(ZLIB::ZLIB ALIAS jackdaw_dep_z)
add_library(BZip2::BZip2 ALIAS jackdaw_dep_bz2)
add_library(LibLZMA::LibLZMA ALIAS jackdaw_dep_lzma)
add_library(jackdaw::lz4 ALIAS jackdaw_dep_lz4)
add_library(jackdaw::yaml_cpp ALIAS jackdaw_dep_yaml_cpp)
add_library(jackdaw::sqlite ALIAS jackdaw_dep_sqlite)
add_library(jackdaw::edit ALIAS jackdaw_dep_edit)
add_library(jackdaw::ssl ALIAS jackdaw_dep_ssl)

# fmt's headers; what stands in them as function bodies is compiled once, which spares every other source file a third of its
# compile time.
find_path(JACKDAW_FMT_INCLUDE fmt/format.h REQUIRED)
add_library(jackdaw_fmt STATIC ${CMAKE_SOURCE_DIR}/cmake/fmt_library.cpp)
target_include_directories(jackdaw_fmt SYSTEM PUBLIC ${JACKDAW_FMT_INCLUDE})

# Debian ships simdjson as a shared library only. scripts/build-simdjson makes a static one from Debian's own source
# package and keeps it in the user's cache.
set(JACKDAW_CACHE "$ENV{JACKDAW_CACHE}")
if(NOT JACKDAW_CACHE)
  set(JACKDAW_CACHE "$ENV{HOME}/.cache/jackdaw")
endif()
set(JACKDAW_SIMDJSON_DIR "${JACKDAW_CACHE}/simdjson-3.0.1" CACHE PATH "Where simdjson.h and libsimdjson.a are")
if(NOT EXISTS "${JACKDAW_SIMDJSON_DIR}/libsimdjson.a")
  execute_process(COMMAND "${CMAKE_SOURCE_DIR}/scripts/build-simdjson" "${JACKDAW_SIMDJSON_DIR}" COMMAND_ERROR_IS_FATAL ANY)
endif()
add_library(jackdaw_simdjson INTERFACE)
target_include_directories(jackdaw_simdjson SYSTEM INTERFACE "${JACKDAW_SIMDJSON_DIR}")
target_link_libraries(jackdaw_simdjson INTERFACE "${JACKDAW_SIMDJSON_DIR}/libsimdjson.a")
add_library(jackdaw::simdjson ALIAS jackdaw_simdjson)
