//! The JSON of the API and of the command line, which prints what the API says.

mod act;
mod audit;
mod belief;
mod blocklist;
mod check;
mod diagnosis;
mod domain;
mod event;
mod incident;
mod lane;
mod lane_check;
mod lane_order;
mod log;
mod log_counts;
mod log_views;
mod message;
mod preflight;
mod queue;
mod rehearsal;
mod reply;
mod server;
mod suppression;
mod test;
mod time;
mod tls_report;
mod token;
mod trace;
mod user;
mod view;
mod webhook;

pub use act::{Act, Acted, FilterQuery};
pub use audit::{AuditPage, AuditQuery, ChangeRow};
pub use belief::{BeliefLimit, BeliefPage, BeliefQuery, BeliefRow};
pub use blocklist::{
    BlocklistCell, BlocklistPage, BlocklistQuery, ListingPage, ListingQuery, ListingRow,
    WatchedList, WatchedSubjectRow,
};
pub use check::{CheckAddressQuery, CheckDomainQuery, CheckMessageQuery, CheckSpfQuery, FlatQuery};
pub use diagnosis::{
    ChangedRow, DiagnosisPage, DiagnosisQuery, EvidenceFile, EvidencePack, EvidenceQuery,
    EvidenceRow, FiguresRow, InsteadRow, ProviderDiagnosis, ReplySeenRow, SourceDiagnosis, StepRow,
    VerdictRow,
};
pub(crate) use diagnosis::{diagnosed, moment_or_ago};
pub use domain::{
    DomainPage, DomainQuery, DomainRow, DomainStory, IssueRow, RecordChangeRow, RecordRow,
};
pub use event::{EventRow, ReturnedRow};
pub use incident::{
    INCIDENT_COMMANDS, IncidentEventRow, IncidentOrderRequest, IncidentPage, IncidentQuery,
    IncidentRow, IncidentStepToDo, IncidentStory, NoteRow, Told,
};
pub use lane::{
    BeliefsRow, CeilingsRow, CommandRow, DecisionRow, HostRow, JudgementRow, LaneGlance,
    LaneGlances, LanePage, LaneQuery, LaneRow, OrderRow, OrderedRow, QuotaRow, RestartPlanRow,
    SignsRow,
};
pub use lane_check::LaneCheckRow;
pub use lane_order::{LANE_COMMANDS, LaneOrder, LaneOrdered};
pub use log::{LogEntry, LogPage, LogQuery, bracketed};
pub use log_counts::{
    LedgerFacts, LogCount, LogFacet, LogFacets, LogStats, LogStatsRow, TallyPage, TallyQuery,
    TallyRow,
};
pub use log_views::{LogView, LogViews};
pub use message::{Answer, MessageRequest, Messages, OneOrMany, RecipientAnswer};
pub use preflight::{
    GateRow, MissingRow, PreflightEntry, PreflightPage, PreflightQuery, Rechecked,
};
pub use queue::{
    LastReplyRow, QueueMessage, QueuePage, QueueRow, SummaryPage, SummaryRow, WaitingRow,
};
pub use rehearsal::{
    RehearsalBand, RehearsalDescription, RehearsalJudgement, RehearsalPage, RehearsalPicture,
    RehearsalPolicy, RehearsalProgress, RehearsalRequest, RehearsalRow, RehearsalScenario,
    RehearsalStory, RehearsalVerdict,
};
pub use reply::{ClusterRow, DiagnosisRow, UnclassifiedPage};
pub use server::{Health, Reloaded, ServerFacts};
pub(crate) use suppression::tenant;
pub use suppression::{
    AllUnsuppressed, NewSuppression, NewSuppressions, NotSuppressed, Suppressed, SuppressionPage,
    SuppressionQuery, SuppressionReply, SuppressionRow, UnsuppressQuery, Unsuppressed, Wrong,
};
pub use test::{
    EmailTestAddedBy, EmailTestComparison, EmailTestPage, EmailTestQuery, EmailTestReport,
    EmailTestRequest, EmailTestRow, EmailTestStory,
};
pub(crate) use time::moment;
pub use time::{Timestamp, timestamp};
pub use tls_report::{
    TlsFailureRow, TlsPolicyRow, TlsReport, TlsReportDay, TlsReportPage, TlsReportPolicy,
    TlsReportQuery, TlsSummary,
};
pub(crate) use tls_report::{day_of, reports};
pub(crate) use token::scopes;
pub use token::{TokenMade, TokenPage, TokenRequest, TokenRow, Whoami};
pub use trace::{Step, TraceQuery, Traced, TracedMessage};
pub use user::{USER_COMMANDS, UserOrder, UserPage, UserRequest, UserRow};
pub(crate) use user::{role as role_of, tenant as tenant_of};
pub use view::{VIEW_PAGES, ViewPage, ViewRequest, ViewRow};
pub use webhook::{
    TestRow, WEBHOOK_COMMANDS, WebhookMade, WebhookOrder, WebhookOrdered, WebhookPage,
    WebhookRequest, WebhookRow,
};
