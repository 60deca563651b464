use super::*;

fn page(html: &str) -> Page {
    let mut page = Page::default();
    page.read(html);
    page
}

#[test]
fn the_text_is_what_readers_see() {
    let html = "<title>no</title><style>p{}</style><p>Hello&nbsp;<b>w</b>orld</p><p>again<br>and</p>\
                <script>var x = '<p>no</p>';</script>";
    assert_eq!(page(html).text.trim(), "Hello world again and");
}

#[test]
fn a_link_has_its_address_and_its_text() {
    let found =
        page("<a href='https://a.example/?x=1&amp;y=2'>Go <b>there</b></a> <a name=x>no</a>");
    assert_eq!(found.links.len(), 1);
    assert_eq!(found.links[0].to, "https://a.example/?x=1&y=2");
    assert_eq!(found.links[0].text, "Go there");
    assert_eq!(found.links[0].sight, Sight::Clear);
}

#[test]
fn what_is_taken_out_of_the_page_counts_beyond_the_preview() {
    let preview = format!("<div style='display:none'>{}</div><p>text</p>", "x".repeat(250));
    assert_eq!(page(&preview).hidden, 50);
    let later = format!("<p>text</p><div style='display:none'>{}</div>", "x ".repeat(90));
    assert_eq!(page(&later).hidden, 90);
    assert_eq!(page("<p>text<div hidden>abc <b>d</b></div>").hidden, 4);
}

#[test]
fn letters_that_cannot_be_read_are_counted_and_those_inside_that_can_are_not() {
    assert_eq!(page("<p>t</p><span style='font-size:0'>abc</span>").disguised, 3);
    let table = "<p>t</p><td style='font-size:0'><p style='font-size:14px'>abc</p></td>";
    assert_eq!(page(table).disguised, 0);
    let white = "<p>t</p><table bgcolor='#ffffff'><td><font color=white>abc</font></td></table>";
    assert_eq!(page(white).disguised, 3);
    let black = "<p>t</p><td style='color:#fff;background:#fff'><b style='color:#000'>abc</b></td>";
    assert_eq!(page(black).disguised, 0);
}

#[test]
fn a_link_that_is_hard_to_see_is_said_so() {
    let sight = |html| page(html).links[0].sight;
    assert_eq!(sight("<a href=x style='font-size:6px'>out</a>"), Sight::Faint);
    assert_eq!(sight("<td bgcolor=#ffffff><a href=x style='color:#eee'>out</a>"), Sight::Faint);
    assert_eq!(sight("<a href=x><span style='color:#fefefe'>out</span></a>"), Sight::Faint);
    assert_eq!(sight("<div hidden><a href=x>out</a></div>"), Sight::Hidden);
}

#[test]
fn what_mail_programs_take_out_is_named_once() {
    let html = "<script></script><SCRIPT></SCRIPT><form><p onclick=x><p ONCLICK=y>\
                <meta http-equiv=Refresh content=1><meta name=x><base href=x>";
    let found = page(html).forbidden;
    assert_eq!(found, ["<script>", "<form>", "onclick=", "<meta http-equiv=refresh>", "<base>"]);
}

#[test]
fn an_image_says_what_is_said_of_it() {
    let images =
        page("<img src=cid:a alt='' width=10 height=20><img src=b width=1 height=1>").images;
    assert!(images[0].has_text && images[0].has_size && !images[0].is_pixel);
    assert!(!images[1].has_text && images[1].is_pixel);
}

#[test]
fn elements_that_do_not_match_are_counted() {
    assert_eq!(page("<table><tr><td>a<td>b</table><p>c<li>d").unmatched, 0);
    assert_eq!(page("<table><tr><td><b>a</td></tr>").unmatched, 2);
    assert_eq!(page("</table>").unmatched, 1);
}

#[test]
fn a_page_is_as_deep_as_it_likes_and_costs_no_more() {
    let found = page(&"<div><a href=x>".repeat(200_000));
    assert_eq!((found.tags, found.links.len()), (400_000, LINKS_MAX));
    let ends = page(&format!("{}{}", "<b>".repeat(100_000), "</i>".repeat(200_000)));
    assert!(ends.unmatched >= 100_000);
}
