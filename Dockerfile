# syntax=docker/dockerfile:1
ARG NODE=24

# Bundles src/ and the libraries that it uses into dist/.
FROM node:${NODE}-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY config ./config
COPY src ./src
RUN npm run build

# Node and the bundle: no package manager, no node_modules. Node's binary needs only what the base holds (libc, libstdc++)
# and brings its own list of certificate authorities.
FROM debian:bookworm-slim
COPY --from=build /usr/local/bin/node /usr/local/bin/node
WORKDIR /app
COPY LICENSE package.json ./
COPY --from=build /app/dist ./dist
ENV NODE_ENV=production
# One arena of the C library's for all of Node's threads, which allocate little there: each more keeps megabytes.
ENV MALLOC_ARENA_MAX=1
# By number, so that runAsNonRoot can be checked. Nothing is written to the file system.
USER 65532:65532
# Fails here, and not in the cluster, if the bundle or the binary lacks something.
RUN ["/usr/local/bin/node", "/app/dist/main.js", "--version"]
EXPOSE 8080
# opjob makes much short-lived data and keeps little: it needs no large space for what is new, and gives back what a backlog has left
# behind once all is quiet (src/slack.ts), for which it must see the collector. --optimize-for-size instead costs a backlog half its speed.
ENTRYPOINT ["/usr/local/bin/node", "--max-semi-space-size=8", "--expose-gc", "/app/dist/main.js"]
CMD ["daemon"]
