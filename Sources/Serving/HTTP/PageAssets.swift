/// The files of the page at `/`, which are part of the program.
enum PageAssets {
  struct Asset: Sendable {
    let path: String
    let contentType: String
    let bytes: [UInt8]
  }

  static let all = [
    Asset(path: "/", contentType: "text/html; charset=utf-8", bytes: PackageResources.index_html),
    Asset(
      path: "/page.css", contentType: "text/css; charset=utf-8", bytes: PackageResources.page_css),
    Asset(
      path: "/page.js", contentType: "text/javascript; charset=utf-8",
      bytes: PackageResources.page_js),
    // Browsers ask for it by themselves, also for documents that were opened from memory.
    Asset(
      path: "/favicon.ico", contentType: "image/svg+xml", bytes: PackageResources.favicon_svg),
  ]

  /// Only the page's own files run, whatever an item's text contains.
  ///
  /// Style elements may stand in a document: the training report, which the page opens from memory, has
  /// one and is bound by this policy too.
  static let headers: [(name: String, value: String)] = [
    (
      "Content-Security-Policy",
      "default-src 'none'; script-src 'self'; style-src 'self'; "
        + "style-src-elem 'self' 'unsafe-inline'; connect-src 'self'; "
        + "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-cache"),
  ]
}
