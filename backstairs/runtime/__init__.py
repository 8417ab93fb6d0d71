"""What Lambda does: functions on the real runtime client, and the streams that drive them."""
