//! What commands know when they are asked about a reply: the providers, the rules, and what the
//! command line says of who spoke, and where.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use postlane_mail::{Code, Domain, Reply, Stage, Status};
use postlane_replies::{
    Heard, Logged, Meanings, ProviderId, Providers, RuleBook, read_reply, read_stage,
};

use crate::exit::{Exit, Failure};

/// The providers and the rules.
pub(crate) struct Known {
    pub(crate) providers: Providers,
    pub(crate) book: RuleBook,
    pub(crate) meanings: Meanings,
}

/// Rules of the operator's own.
#[derive(Args)]
pub(crate) struct OwnRules {
    /// A file with rules of your own, asked before those of the program; may be given again
    #[arg(long, value_name = "FILE", help_heading = None)]
    rules: Vec<PathBuf>,
}

/// Who spoke, and where.
#[derive(Args, Default)]
#[command(next_help_heading = "Who spoke, and where")]
pub(crate) struct Who {
    /// The provider that said it, by id, brand or name: united-internet, GMX, Gmail
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// The MX host that said it
    #[arg(long, value_name = "HOST")]
    mx: Option<String>,
    /// What it answered: connect, ehlo, starttls, auth, mail, rcpt, data, dot or quit
    #[arg(long, value_name = "STAGE", value_parser = stage)]
    stage: Option<Stage>,
}

/// Who spoke, and where, as far as it is known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Speaker {
    pub(crate) provider: Option<ProviderId>,
    pub(crate) mx: Option<String>,
    pub(crate) stage: Option<Stage>,
}

impl OwnRules {
    /// The files.
    pub(crate) fn files(&self) -> Vec<&Path> {
        self.rules.iter().map(PathBuf::as_path).collect()
    }
}

impl Known {
    /// The program's rules, and these before them.
    pub(crate) fn with(own: &OwnRules) -> Result<Self, Failure> {
        Self::with_files(&own.files())
    }

    /// The program's rules alone.
    pub(crate) fn built_in() -> Self {
        let providers = Providers::built_in();
        let book = RuleBook::built_in(&providers);
        Self { providers, book, meanings: Meanings::built_in() }
    }

    /// The program's rules, and those of these files before them.
    pub(crate) fn with_files(files: &[&Path]) -> Result<Self, Failure> {
        let texts = read_rules(files)?;
        let named: Vec<_> = texts.iter().map(|(name, text)| (&**name, &**text)).collect();
        let providers = Providers::built_in();
        let book = RuleBook::with(&providers, &named)
            .map_err(|e| Failure::usage(format!("rules that cannot be used:\n{e}")))?;
        Ok(Self { providers, book, meanings: Meanings::built_in() })
    }

    /// Who is meant by the command line.
    pub(crate) fn speaker(&self, who: &Who) -> Result<Speaker, Failure> {
        let named = who.provider.as_deref().map(|name| self.provider(name)).transpose()?;
        Ok(Speaker {
            provider: named.or_else(|| self.provider_at(who.mx.as_deref())),
            mx: who.mx.clone(),
            stage: who.stage,
        })
    }

    /// Who spoke by a line of a log, where the command line says nothing else.
    pub(crate) fn speaker_of(&self, told: &Speaker, logged: &Logged) -> Speaker {
        let mx = told.mx.clone().or_else(|| logged.host.as_deref().map(str::to_owned));
        let own = || self.providers.resolve(logged.provider.as_deref()?);
        let by_domain = || {
            let domain = Domain::parse(logged.domain.as_deref()?).ok()?;
            // A host of somebody else's says more than the recipient's domain.
            mx.is_none().then(|| self.providers.at(&domain)).flatten()
        };
        let provider = told.provider.clone().or_else(own);
        let provider = provider.or_else(|| self.provider_at(mx.as_deref()));
        Speaker {
            provider: provider.or_else(|| by_domain().map(|known| known.id.clone())),
            mx,
            stage: told.stage.or(logged.stage),
        }
    }

    fn provider(&self, name: &str) -> Result<ProviderId, Failure> {
        self.providers.resolve(name).ok_or_else(|| {
            let cure = match self.providers.suggest(name) {
                Some(meant) => format!("did you mean \"{meant}\"?"),
                None => "docs/reference/replies lists them; --mx HOST says more of one that is \
                         not there"
                    .to_owned(),
            };
            let name = name.escape_debug();
            Failure::new(Exit::Usage, format!("no provider is called \"{name}\": {cure}"))
        })
    }

    /// The provider as its lane is named, also of a host that is not in the table.
    pub(crate) fn lane(&self, speaker: &Speaker) -> Option<ProviderId> {
        let unknown = || {
            let host = Domain::parse(speaker.mx.as_deref()?.trim_end_matches('.')).ok()?;
            Some(self.providers.find(std::slice::from_ref(&host), &host))
        };
        speaker.provider.clone().or_else(unknown)
    }

    /// The provider of a host, if one in the table has it.
    pub(crate) fn provider_at(&self, host: Option<&str>) -> Option<ProviderId> {
        let host = Domain::parse(host?.trim_end_matches('.')).ok()?;
        self.providers.at(&host).map(|known| known.id.clone())
    }
}

impl Speaker {
    /// A reply of theirs, to ask about.
    pub(crate) fn heard<'h>(&'h self, reply: &'h Reply) -> Heard<'h> {
        let provider = self.provider.as_ref().map(ProviderId::as_str);
        Heard { reply, stage: self.stage, provider, mx: self.mx.as_deref() }
    }
}

/// A reply from a text that may lack its code: then it is taken as its enhanced status says, and
/// as temporary where it has none, for that does the least harm.
pub(crate) fn reply_of(text: &str) -> Reply {
    read_reply(text).unwrap_or_else(|| {
        let text = text.trim();
        let class = Status::parse_prefix(text.as_bytes()).map(|(status, _)| status.class);
        let number = class.filter(|class| *class == 5).map_or(450, |_| 550);
        Reply::new(Code::new(number).expect("450 and 550 are codes"), text)
    })
}

/// Files of rules with their names.
pub(crate) fn read_rules(files: &[&Path]) -> Result<Vec<(String, String)>, Failure> {
    let read = |file: &&Path| {
        let text = fs::read_to_string(file).map_err(|e| Failure::unreadable(file, &e))?;
        Ok((file.display().to_string(), text))
    };
    files.iter().map(read).collect()
}

/// A stage by any of its names; `helo/ehlo` and `dot/eom` are names, too.
pub(crate) fn stage_of(text: &str) -> Option<Stage> {
    read_stage(text).or_else(|| text.split('/').find_map(read_stage))
}

fn stage(text: &str) -> Result<Stage, String> {
    stage_of(text).ok_or_else(|| {
        "a stage is connect (banner), ehlo (helo), starttls, auth, mail, rcpt, data, dot (eom) or \
         quit"
            .to_owned()
    })
}
