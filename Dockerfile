# The controller's image, which is the windlass command's too: `make image`.
#
# The base is pinned by the digest of its index, for all platforms. A newer one: --build-arg PYTHON_TAG=… PYTHON_DIGEST=…
ARG PYTHON_TAG=3.12.14-slim-trixie
ARG PYTHON_DIGEST=sha256:78387bc3881b8273120a12ebe6c1ab22b018ccc2c9adf565ae1ac9b536e184ea

FROM docker.io/library/python:${PYTHON_TAG}@${PYTHON_DIGEST} AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY image image
COPY operator operator
RUN python3 image/layer.py --python /usr/local/bin/python3 /layer

FROM docker.io/library/python:${PYTHON_TAG}@${PYTHON_DIGEST}
ARG PYTHON_TAG
ARG PYTHON_DIGEST
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="windlass" \
      org.opencontainers.image.description="The controller and the command of Windlass, workflows on Kubernetes" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.base.name="docker.io/library/python:${PYTHON_TAG}" \
      org.opencontainers.image.base.digest="${PYTHON_DIGEST}"
COPY --from=build /layer/ /
# Byte code is in the image, and nothing can be written but /tmp.
ENV PATH=/opt/windlass/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["windlass"]
CMD ["controller"]
