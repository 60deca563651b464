"""Turns the openspf.org suites (YAML) into JSON: python3 convert.py in.yml out.json

Nothing is left out or changed but the form; text is written as its octets read as ISO 8859-1.
"""
import json, sys, yaml

suites = [d for d in yaml.safe_load_all(open(sys.argv[1], encoding="utf-8")) if d]
json.dump(suites, open(sys.argv[2], "w"), indent=1, ensure_ascii=True, sort_keys=False)
