package org.trefoilfs.tools.http;

import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.tools.http.HttpHandler.Request;
import org.trefoilfs.tools.http.HttpHandler.Response;

/** One connection: reads a request, has it answered, and then reads the next. */
final class HttpConnection extends SimpleChannelInboundHandler<FullHttpRequest> {
  private static final Logger LOG = LoggerFactory.getLogger(HttpConnection.class);

  private static final Response MALFORMED = text(400, "not an HTTP request\n");
  private static final Response FAILED = text(500, "internal error; see the log\n");

  private final HttpHandler handler;

  HttpConnection(HttpHandler handler) {
    this.handler = handler;
  }

  private static Response text(int status, String text) {
    return new Response(status, "text/plain", text.getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    context.read();
  }

  @Override
  protected void channelRead0(ChannelHandlerContext context, FullHttpRequest message) {
    if (!message.decoderResult().isSuccess()) {
      send(context, MALFORMED, false);
      return;
    }
    Request request =
        new Request(
            message.method().name(),
            new QueryStringDecoder(message.uri()).path(),
            ByteBufUtil.getBytes(message.content()));
    boolean keepAlive = HttpUtil.isKeepAlive(message);
    Thread.ofVirtual()
        .name("http " + request.path())
        .start(() -> send(context, answer(request), keepAlive));
  }

  private Response answer(Request request) {
    try {
      return handler.handle(request);
    } catch (RuntimeException e) {
      LOG.error("{} failed", request.path(), e);
      return FAILED;
    }
  }

  private static void send(ChannelHandlerContext context, Response response, boolean keepAlive) {
    FullHttpResponse message =
        new DefaultFullHttpResponse(
            HttpVersion.HTTP_1_1,
            HttpResponseStatus.valueOf(response.status()),
            Unpooled.wrappedBuffer(response.body()));
    message.headers().set(HttpHeaderNames.CONTENT_TYPE, response.contentType());
    HttpUtil.setContentLength(message, response.body().length);
    HttpUtil.setKeepAlive(message, keepAlive);
    var sent = context.writeAndFlush(message);
    if (keepAlive) {
      sent.addListener(done -> context.read());
    } else {
      sent.addListener(ChannelFutureListener.CLOSE);
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    LOG.debug("a connection ended", cause);
    context.close();
  }
}
