# docker build -t jackdaw . && docker run --rm -p 8080:8080 -v $PWD/examples/quickstart:/etc/jackdaw:ro jackdaw
FROM debian:12-slim AS build
WORKDIR /src
COPY scripts/install-deps scripts/build-simdjson scripts/
RUN scripts/install-deps && scripts/build-simdjson
COPY CMakeLists.txt CMakePresets.json ./
COPY cmake cmake
COPY include include
COPY src src
COPY kernels kernels
RUN cmake --preset release -DJACKDAW_TESTS=OFF && cmake --build --preset release --target jackdaw \
 && strip -o /jackdaw build/release/jackdaw

FROM debian:12-slim
COPY --from=build /jackdaw /usr/bin/jackdaw
COPY LICENSE /usr/share/doc/jackdaw/LICENSE
USER 65532:65532
EXPOSE 8080
# The container's own address is not a loopback: load and unload over HTTP are off.
ENTRYPOINT ["/usr/bin/jackdaw"]
CMD ["serve", "--config", "/etc/jackdaw", "--listen", "0.0.0.0:8080", "--log-format", "json"]
