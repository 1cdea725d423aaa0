# One image for web, worker and clock; what it runs is chosen by the command (see docker-compose.yml and Procfile).
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /app
COPY requirements.txt constraints.txt ./
RUN pip install --no-input -r requirements.txt \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin msme
COPY gunicorn.conf.py web.py worker.py ./
COPY pipeline ./pipeline

USER 10001
EXPOSE 5000
# Worker and clock do not listen; docker-compose.yml switches this off for them.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ.get('PORT', '5000')}/health/live\", timeout=2)"]
CMD ["gunicorn", "-c", "gunicorn.conf.py", "web:app"]
