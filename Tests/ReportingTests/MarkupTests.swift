import Reporting
import Testing

@Suite struct MarkupTests {
  @Test func entities() {
    #expect(
      escapedMarkup("<b onclick=\"x('&')\">") == "&lt;b onclick=&quot;x(&#39;&amp;&#39;)&quot;&gt;")
  }
}
