"""Bringing what is recorded into the other indexes."""
