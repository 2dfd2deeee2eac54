# syntax=docker/dockerfile:1

FROM rust:1-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends nodejs npm && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked && install -D target/release/taskql /out/taskql && mkdir /out/data

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /out/taskql /usr/local/bin/taskql
COPY --from=build --chown=nonroot:nonroot /out/data /data
WORKDIR /data
VOLUME /data
ENV DATABASE_URL=sqlite:/data/taskql.db TASKQL_LISTEN=0.0.0.0:8000 TASKQL_LOG_FORMAT=json
EXPOSE 8000
HEALTHCHECK --interval=10s CMD ["/usr/local/bin/taskql", "health"]
ENTRYPOINT ["/usr/local/bin/taskql"]
