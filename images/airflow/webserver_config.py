"""Flask-AppBuilder's settings, for both Airflow lines.

Airflow 2 writes its default file here when there is none, which a read-only root forbids.
"""

from flask_appbuilder.const import AUTH_DB

AUTH_TYPE = AUTH_DB
WTF_CSRF_ENABLED = True
