"""Kafka: its clients and topics, what is sent confirmed, and what a reader lost or passes over."""
