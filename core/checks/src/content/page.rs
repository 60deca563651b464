//! What a reader sees of HTML, and what is kept from them.

use std::convert::Infallible;

use html5gum::emitters::callback::{Callback, CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};

use super::style::{Style, colour};

/// HTML as a reader sees it; several parts one behind the other.
#[derive(Debug, Clone, Default)]
pub(crate) struct Page {
    /// The text, blanks drawn together.
    pub(crate) text: String,
    /// The links, in order.
    pub(crate) links: Vec<Link>,
    /// The images, in order.
    pub(crate) images: Vec<Image>,
    /// Letters that are taken out of the page, without those a preview may show.
    pub(crate) hidden: usize,
    /// Letters that are there and cannot be read: too small, or of the colour behind them.
    pub(crate) disguised: usize,
    /// What mail programs take out, each once.
    pub(crate) forbidden: Vec<String>,
    /// Start tags.
    pub(crate) tags: usize,
    /// Start tags without an end where one must be, and ends without a start.
    pub(crate) unmatched: usize,
}

/// A link in a page.
#[derive(Debug, Clone, Default)]
pub(crate) struct Link {
    /// Where it leads, as it is written.
    pub(crate) to: String,
    /// What readers see of it.
    pub(crate) text: String,
    /// None of it can be seen, or it takes an effort.
    pub(crate) sight: Sight,
}

/// How well something can be seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sight {
    /// It can be read.
    #[default]
    Clear,
    /// It is small, or hardly another colour than what is behind it.
    Faint,
    /// It is there, and nobody can read it.
    Disguised,
    /// It is taken out of the page.
    Hidden,
    /// It is no text: a script, a title.
    Outside,
}

/// An image in a page.
#[derive(Debug, Clone, Default)]
pub(crate) struct Image {
    /// Where it comes from, at most [`ADDRESS_MAX`] octets of it.
    pub(crate) from: String,
    /// Octets of where it comes from: one with `data:` holds itself.
    pub(crate) octets: usize,
    /// What is read out in its place is said, be it nothing.
    pub(crate) has_text: bool,
    /// Width and height are said.
    pub(crate) has_size: bool,
    /// One pixel, put there to be fetched.
    pub(crate) is_pixel: bool,
}

/// Limits of a page. Chosen, not measured: Gmail shows 102 KB of HTML (FMT-27).
pub(super) const LINKS_MAX: usize = 2_000;
const IMAGES_MAX: usize = 2_000;
const FORBIDDEN_MAX: usize = 20;
const DEPTH_MAX: usize = 512;
/// How far up an end tag is looked for: each costs that many comparisons at most.
const REACH_MAX: usize = 64;
const ADDRESS_MAX: usize = 4_096;
const LINK_TEXT_MAX: usize = 400;
const NAME_MAX: usize = 20;

/// Letters before the text that mail programs show beside the subject (CNT-11).
const PREVIEW_MAX: usize = 200;

impl Page {
    /// Reads on in another piece of HTML.
    pub(super) fn read(&mut self, html: &str) {
        let mut emitter = CallbackEmitter::new(Reader::new(self));
        emitter.naively_switch_states(true);
        let tokenizer = Tokenizer::new_with_emitter(html, emitter);
        let Ok(()) = tokenizer.finish();
    }
}

/// An open element.
struct Element {
    name: Box<[u8]>,
    sight: Sight,
    colour: Option<[u8; 3]>,
    background: Option<[u8; 3]>,
    is_small: bool,
    is_link: bool,
}

/// A start tag that is being read.
#[derive(Default)]
struct Tag {
    name: Box<[u8]>,
    attribute: Vec<u8>,
    style: Style,
    is_hidden: bool,
    link: Option<String>,
    image: Image,
    is_refresh: bool,
    width: Option<bool>,
    height: Option<bool>,
}

struct Reader<'p> {
    page: &'p mut Page,
    open: Vec<Element>,
    /// Elements deeper than [`DEPTH_MAX`], which are counted only.
    deeper: usize,
    tag: Tag,
    previewed: usize,
    ends_in_blank: bool,
}

impl Callback<Infallible, ()> for Reader<'_> {
    fn handle_event(&mut self, event: CallbackEvent<'_>, _: Span<()>) -> Option<Infallible> {
        match event {
            CallbackEvent::OpenStartTag { name } => {
                self.tag = Tag { name: short(name), ..Tag::default() };
            }
            CallbackEvent::AttributeName { name } => self.attribute(name),
            CallbackEvent::AttributeValue { value } => self.value(value),
            CallbackEvent::CloseStartTag { .. } => self.start(),
            CallbackEvent::EndTag { name } => self.end(name),
            CallbackEvent::String { value } => self.string(value),
            _ => {}
        }
        None
    }
}

fn short(name: &[u8]) -> Box<[u8]> {
    name[..name.len().min(NAME_MAX)].into()
}

fn text_of(octets: &[u8], max: usize) -> String {
    String::from_utf8_lossy(&octets[..octets.len().min(max)]).into_owned()
}

impl<'p> Reader<'p> {
    fn new(page: &'p mut Page) -> Self {
        Self {
            page,
            open: Vec::new(),
            deeper: 0,
            tag: Tag::default(),
            previewed: 0,
            ends_in_blank: true,
        }
    }

    fn attribute(&mut self, name: &[u8]) {
        self.tag.attribute.clear();
        self.tag.attribute.extend_from_slice(&name[..name.len().min(NAME_MAX)]);
        match &*self.tag.attribute {
            b"alt" => self.tag.image.has_text = true,
            b"hidden" => self.tag.is_hidden = true,
            [b'o', b'n', rest @ ..] if !rest.is_empty() => {
                let name = String::from_utf8_lossy(&self.tag.attribute).into_owned();
                self.forbid(&format!("{name}="));
            }
            _ => {}
        }
    }

    fn value(&mut self, value: &[u8]) {
        let tag = &mut self.tag;
        match &*tag.attribute {
            b"style" => tag.style = Style::read(&text_of(value, ADDRESS_MAX)),
            b"href" => tag.link = Some(text_of(value, ADDRESS_MAX)),
            b"src" => {
                tag.image.from = text_of(value, ADDRESS_MAX);
                tag.image.octets = value.len();
            }
            b"width" => tag.width = Some(is_point(value)),
            b"height" => tag.height = Some(is_point(value)),
            b"color" => tag.style.colour = colour(&text_of(value, NAME_MAX)),
            b"bgcolor" => tag.style.background = colour(&text_of(value, NAME_MAX)),
            b"http-equiv" => tag.is_refresh = value.eq_ignore_ascii_case(b"refresh"),
            _ => {}
        }
    }

    fn forbid(&mut self, what: &str) {
        let forbidden = &mut self.page.forbidden;
        if forbidden.len() < FORBIDDEN_MAX && !forbidden.iter().any(|known| known == what) {
            forbidden.push(what.to_owned());
        }
    }

    fn start(&mut self) {
        let tag = std::mem::take(&mut self.tag);
        self.page.tags += 1;
        match &*tag.name {
            b"script" | b"iframe" | b"object" | b"embed" | b"form" | b"base" | b"applet" => {
                self.forbid(&format!("<{}>", String::from_utf8_lossy(&tag.name)));
            }
            b"meta" if tag.is_refresh => self.forbid("<meta http-equiv=refresh>"),
            _ => {}
        }
        if !is_inline(&tag.name) {
            self.blank();
        }
        let element = self.element(&tag);
        if &*tag.name == b"img" {
            self.image(tag, element.sight);
            return;
        }
        if let Some(link) = tag.link.filter(|_| element.is_link) {
            self.link(link, element.sight);
        }
        if is_void(&tag.name) {
            return;
        }
        if self.open.len() < DEPTH_MAX {
            self.open.push(element);
        } else {
            self.deeper += 1;
        }
    }

    /// What the tag makes of what is around it.
    fn element(&self, tag: &Tag) -> Element {
        let around = self.open.last();
        let style = tag.style;
        let colour = style.colour.or_else(|| around?.colour);
        let background = style.background.or_else(|| around?.background);
        let is_small = style.is_small.unwrap_or_else(|| around.is_some_and(|a| a.is_small));
        let inherited = around.map_or(Sight::Clear, |around| around.sight);
        let is_outside =
            matches!(&*tag.name, b"script" | b"style" | b"title" | b"template" | b"iframe");
        let is_same = colour.is_some() && colour == background;
        let own = match style.is_tiny {
            _ if is_outside => Sight::Outside,
            _ if style.is_hidden || tag.is_hidden => Sight::Hidden,
            Some(true) => Sight::Disguised,
            _ if is_same => Sight::Disguised,
            _ if is_small || is_faint(colour, background) => Sight::Faint,
            _ => Sight::Clear,
        };
        // Text in letters of no size may hold some that have one; what is hidden stays so, and a
        // colour counts only with the background that it is seen on.
        let kept = match inherited {
            Sight::Outside | Sight::Hidden => inherited,
            Sight::Disguised if style.is_tiny.is_none() && !style.has_colour() => inherited,
            _ => Sight::Clear,
        };
        let has_room = self.page.links.len() < LINKS_MAX;
        let is_link = matches!(&*tag.name, b"a" | b"area") && tag.link.is_some() && has_room;
        Element {
            name: tag.name.clone(),
            sight: own.max(kept),
            colour,
            background,
            is_small,
            is_link,
        }
    }

    fn link(&mut self, to: String, sight: Sight) {
        if self.page.links.len() < LINKS_MAX {
            self.page.links.push(Link { to, text: String::new(), sight });
        }
    }

    fn image(&mut self, tag: Tag, sight: Sight) {
        let mut image = tag.image;
        let sizes = [tag.width, tag.height];
        image.has_size = sizes.iter().all(Option::is_some) || tag.style.has_size;
        image.is_pixel = sizes.contains(&Some(true)) || sight >= Sight::Hidden;
        if self.page.images.len() < IMAGES_MAX {
            self.page.images.push(image);
        }
    }

    fn end(&mut self, name: &[u8]) {
        if !is_inline(name) {
            self.blank();
        }
        if self.deeper > 0 {
            self.deeper -= 1;
            return;
        }
        let name = &name[..name.len().min(NAME_MAX)];
        let reach = self.open.len().saturating_sub(REACH_MAX);
        let near = self.open[reach..].iter().rposition(|element| *element.name == *name);
        match near {
            Some(at) => {
                let closed = self.open.drain(reach + at + 1..);
                let without_end = closed.filter(|element| !may_end_by_itself(&element.name));
                self.page.unmatched += without_end.count();
                self.open.pop();
            }
            None if is_void(name) || name == b"p" => {}
            None => self.page.unmatched += 1,
        }
    }

    fn blank(&mut self) {
        if !self.ends_in_blank {
            self.page.text.push(' ');
            self.ends_in_blank = true;
        }
    }

    fn string(&mut self, value: &[u8]) {
        let text = String::from_utf8_lossy(value);
        let sight = self.open.last().map_or(Sight::Clear, |element| element.sight);
        match sight {
            Sight::Outside => {}
            Sight::Hidden => self.page.hidden += self.beyond_preview(&text),
            Sight::Disguised => self.page.disguised += self.beyond_preview(&text),
            Sight::Clear | Sight::Faint => self.shown(&text, sight),
        }
    }

    /// Letters that no preview shows.
    fn beyond_preview(&mut self, text: &str) -> usize {
        let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
        if !self.page.text.trim_ascii().is_empty() {
            return letters;
        }
        let free = (PREVIEW_MAX - self.previewed).min(letters);
        self.previewed += free;
        letters - free
    }

    fn shown(&mut self, text: &str, sight: Sight) {
        let in_link = self.open.iter().rev().take(REACH_MAX).any(|element| element.is_link);
        let mut link = self.page.links.last_mut().filter(|_| in_link);
        if let Some(link) = &mut link {
            link.sight = link.sight.max(sight);
        }
        for c in text.chars() {
            let is_blank = c.is_whitespace();
            if is_blank && self.ends_in_blank {
                continue;
            }
            self.ends_in_blank = is_blank;
            let c = if is_blank { ' ' } else { c };
            self.page.text.push(c);
            if let Some(link) = &mut link
                && link.text.len() < LINK_TEXT_MAX
            {
                link.text.push(c);
            }
        }
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let open = self.open.iter().filter(|element| !may_end_by_itself(&element.name));
        self.page.unmatched += open.count() + self.deeper;
    }
}

impl Style {
    fn has_colour(&self) -> bool {
        self.colour.is_some() || self.background.is_some()
    }
}

/// Whether letters hardly stand out from what is behind them: a contrast below 2 to 1 (WCAG 2.1
/// §1.4.3 asks for 4.5). What has no colour is taken for black on white.
fn is_faint(colour: Option<[u8; 3]>, background: Option<[u8; 3]>) -> bool {
    if colour.is_none() && background.is_none() {
        return false;
    }
    let light = |rgb: [u8; 3]| {
        let linear = rgb.map(|part| (f64::from(part) / 255.0).powf(2.2));
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05
    };
    let (front, back) = (light(colour.unwrap_or([0; 3])), light(background.unwrap_or([255; 3])));
    front.max(back) / front.min(back) < 2.0
}

/// A width or height of one pixel or none.
fn is_point(value: &[u8]) -> bool {
    matches!(value.trim_ascii(), b"0" | b"1" | b"0px" | b"1px")
}

fn is_void(name: &[u8]) -> bool {
    matches!(
        name,
        b"area"
            | b"base"
            | b"br"
            | b"col"
            | b"embed"
            | b"hr"
            | b"img"
            | b"input"
            | b"link"
            | b"meta"
            | b"source"
            | b"track"
            | b"wbr"
    )
}

/// Elements whose end may be left out (HTML Standard §13.1.2.4).
fn may_end_by_itself(name: &[u8]) -> bool {
    matches!(
        name,
        b"html"
            | b"head"
            | b"body"
            | b"p"
            | b"li"
            | b"dt"
            | b"dd"
            | b"option"
            | b"optgroup"
            | b"thead"
            | b"tbody"
            | b"tfoot"
            | b"tr"
            | b"td"
            | b"th"
            | b"colgroup"
            | b"caption"
    )
}

/// Elements that do not part words.
fn is_inline(name: &[u8]) -> bool {
    matches!(
        name,
        b"a" | b"abbr"
            | b"b"
            | b"big"
            | b"code"
            | b"em"
            | b"font"
            | b"i"
            | b"ins"
            | b"mark"
            | b"s"
            | b"small"
            | b"span"
            | b"strike"
            | b"strong"
            | b"sub"
            | b"sup"
            | b"tt"
            | b"u"
            | b"wbr"
    )
}

#[cfg(test)]
mod tests;
