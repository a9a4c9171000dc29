# The page, with the built-in engine and clients for language models.
#   docker build -t footnote . && docker run -p 127.0.0.1:8501:8501 -v footnote:/data footnote
FROM python:3.11-slim

# The CPU build of PyTorch: pip's own index has CUDA packages of several gigabytes.
ENV PIP_NO_CACHE_DIR=1 \
    PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu \
    PYTHONUNBUFFERED=1

WORKDIR /app
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY qa qa
COPY ui ui
COPY eval eval
COPY seeds seeds
RUN pip install -c constraints.txt '.[ollama,openai,openai-like,anthropic]'

RUN useradd --create-home --uid 1000 footnote && mkdir /data && chown 1000:1000 /data
USER 1000
ENV QA_HOME=/data
VOLUME /data
EXPOSE 8501

# Without users, the page refuses other machines, the host too: docker exec -it NAME footnote user add ann
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://localhost:8501/_stcore/health')"]

WORKDIR /data
CMD ["footnote", "chat", "--headless", "--address", "0.0.0.0"]
