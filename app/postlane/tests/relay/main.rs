//! The relay as its users meet it: the program itself, started in a folder of its own, with real
//! programs around it.

#![expect(clippy::unwrap_used, reason = "a test may fail by unwrapping")]

mod access;
mod alerts;
mod analyze;
mod beside;
mod bounces;
mod browser;
mod check;
mod check_domain;
mod check_ip;
mod check_probes;
mod command_line;
mod completions;
mod configuration;
mod crash;
mod dashboard;
mod dashboard_lanes;
mod dashboard_people;
mod dashboard_preflight;
mod dashboard_queue;
mod dashboard_senders;
mod dashboard_tables;
mod dashboard_views;
mod encrypted;
mod engagement;
mod events;
mod explain;
mod first_lane;
mod golden;
mod handed_over;
mod help;
mod host;
mod http;
mod incidents;
#[path = "../../../../io/net/tests/peer/knot.rs"]
mod knot;
mod lane_checks;
mod lanes;
mod ledger;
mod logs;
mod looks;
mod mx;
mod peer;
mod postfix;
mod postfix_in;
mod postfix_out;
mod postfix_tls;
mod preflight;
mod promises;
mod queue;
mod receiver;
mod refusals;
mod rehearsals;
mod rehearse;
mod relay;
mod signing;
mod sink;
mod smart_host;
mod smtp;
mod sources;
mod spool;
mod suppression;
mod swaks;
mod tester;
mod tls_host;
mod tls_policy;
#[path = "../../../../io/net/tests/peer/unbound.rs"]
mod unbound;
mod unread;
mod upgrade;
mod watch_domains;
mod watch_lists;
mod webhooks;
