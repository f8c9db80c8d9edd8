"""Apprise's process with Telegram's API elsewhere: ``python apprise_local.py URL [private]``, for the tests."""

import sys

from apprise.plugins.telegram import NotifyTelegram

from alerts.delivery import apprise_process

NotifyTelegram.notify_url = sys.argv[1]
apprise_process.main()
