# Uses Ruby's standard library on data that never changes; the output is compared octet by octet.
require "bigdecimal"
require "csv"
require "date"
require "digest"
require "erb"
require "fileutils"
require "forwardable"
require "json"
require "optparse"
require "ostruct"
require "pathname"
require "set"
require "stringio"
require "strscan"
require "tempfile"
require "time"

TEXT = File.read("/data/text.txt", encoding: "UTF-8")

Point = Struct.new(:x, :y) do
  include Comparable
  def <=>(other) = [x, y] <=> [other.x, other.y]
end

class Queue2
  extend Forwardable
  def_delegators :@items, :push, :shift, :size
  def initialize = @items = []
end

def show(name, value) = puts("#{name}: #{value}")

def scan(text)
  scanner = StringScanner.new(text)
  tokens = []
  until scanner.eos?
    scanner.skip(/\s+/)
    tokens << (scanner.scan(/\d+/) || scanner.getch)
  end
  tokens
end

options = {}
OptionParser.new { |parser| parser.on("--level N", Integer) { |n| options[:level] = n } }.parse!(ARGV)

show "version", RUBY_VERSION
show "options", options.inspect
show "arguments", ARGV.inspect
show "json", JSON.generate(JSON.parse('{"b": [1, 2.5, null], "a": "\u00e9"}').sort.to_h)
show "words", TEXT.downcase.scan(/[a-zé]+/).tally.sort_by { |word, count| [-count, word] }.first(4).inspect
show "sha256", Digest::SHA256.hexdigest(TEXT)
show "md5", Digest::MD5.hexdigest(TEXT)
show "date", (Date.new(2024, 2, 29) >> 12).iso8601
show "time", Time.parse("2024-02-29 12:00:00 UTC").iso8601
show "bigdecimal", BigDecimal("2").sqrt(30).round(25).to_s("F")
show "rational", (1..10).sum { |n| Rational(1, n) }
show "big", 3.pow(1000, 10**40)
show "csv", CSV.parse(%(name,value\n"a ""quoted"", name",1\n), headers: true).map(&:to_h).inspect
show "erb", ERB.new("<% 3.times do |i| %><%= i * i %>;<% end %>").result
show "set", (Set[1, 2, 3] ^ Set[3, 4]).sort.inspect
show "struct", [Point.new(2, 1), Point.new(1, 2)].min.to_a.inspect
show "ostruct", OpenStruct.new(name: "keep").name
show "strscan", scan("12 + 3*4").inspect
show "lazy", (1..Float::INFINITY).lazy.select(&:even?).map { _1 * 3 }.first(3).inspect
show "fiber", Enumerator.new { |y| a, b = 0, 1; loop { y << a; a, b = b, a + b } }.take(10).inspect
queue = Queue2.new
queue.push(1)
show "forwardable", queue.size
case { name: "keep", doors: [{ kind: "gate" }] }
in { name: String => name, doors: [{ kind: }] } then show "pattern", "#{name} #{kind}"
end
begin
  Integer("seven")
rescue ArgumentError => e
  show "rescue", e.message
end
Dir.mkdir("/tmp/tree")
Pathname("/tmp/tree/a.txt").write("a")
FileUtils.cp("/tmp/tree/a.txt", "/tmp/tree/b.txt")
show "files", Dir.children("/tmp/tree").sort.inspect
FileUtils.rm_r("/tmp/tree")
show "removed", !Dir.exist?("/tmp/tree")
warn "an error line"
exit 7
